from ._assertions.bodies import BodyAssertionsMixin
from ._assertions.counts import CallCountAssertionsMixin
from ._assertions.order import CallOrderAssertionsMixin

__all__ = ["BodyAssertionsMixin", "CallCountAssertionsMixin", "CallOrderAssertionsMixin"]
