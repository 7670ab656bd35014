import logging


import re

# unittest runs async tests in asyncio's debug mode, which logs each step that takes longer than a tenth of a second. On
# a busy machine many do, and nothing is wrong.
_SLOW = re.compile("Executing %[rs] took ")

logging.getLogger("asyncio").addFilter(lambda record: not _SLOW.match(str(record.msg)))
