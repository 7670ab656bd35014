import json
import time
import unittest

from aioresponses._cassettes.secrets import HIDDEN, Secrets, as_pattern

SECRET = "S3CR3T"
SECRETS = Secrets()


class TextTest(unittest.TestCase):
    def check_hidden(self, text, shown=None):
        """Check that no secret is left in a text; that it is then as `shown`, or as it was but for the secret."""
        with self.subTest(text):
            self.assertEqual(SECRETS.text(text), text.replace(SECRET, HIDDEN) if shown is None else shown)

    def test_fields_of_json(self):
        for name in (
            "token", "access_token", "refresh_token", "id_token", "api_key", "apiKey", "API-KEY", "password", "Passwd",
            "client_secret", "clientSecret", "signature", "X-Amz-Signature", "session_id", "csrf_token", "xsrfToken",
            "private_key", "new_password", "password2", "passwordConfirmation", "Authorization", "Cookie", "jwt",
            "tok\\u0065n",
        ):
            self.check_hidden(f'{{"{name}": "{SECRET}", "id": 7}}')
            self.check_hidden(f'{{"user": [{{"{name}" :  "{SECRET}"}}]}}')

    def test_texts_and_numbers_alone_are_hidden_and_those_in_a_list(self):
        self.check_hidden('{"token": 12.5e3, "password": -7}', f'{{"token": "{HIDDEN}", "password": "{HIDDEN}"}}')
        self.check_hidden(f'{{"token": ["{SECRET}", 7]}}', f'{{"token": ["{HIDDEN}", "{HIDDEN}"]}}')
        for text in (
            '{"token": null, "secret": true, "password": "", "signature": {"valid": 1}, "api_key": []}',
            '{"code": "EUR", "error": {"code": "not_found"}, "key": "a", "token_type": "bearer", "max_tokens": 12}',
            '{"nextPageToken": "CAUQAA", "page_token": "x", "keys": ["a"]}',
        ):
            self.check_hidden(text)

    def test_everything_else_stays_as_it_is(self):
        text = '{ "b" :1.0,"a":"\\u00e9\\/", "token":"S3CR3T",\n\t"a": 1e2, "big": 12345678901234567890 }'
        self.check_hidden(text)
        self.assertEqual(SECRETS.text("nothing to hide: 5 = 5, really?"), "nothing to hide: 5 = 5, really?")

    def test_json_within_strings_of_json(self):
        inner = json.dumps({"token": SECRET, "n": 1})
        for depth in range(3):
            self.check_hidden(json.dumps({"body": inner}))
            inner = json.dumps({"body": inner, "x": "é"})

    def test_json_lines_events_and_scripts(self):
        for text in (
            f'{{"token":"{SECRET}"}}\n{{"token":"{SECRET}"}}\n',
            f'id: 1\ndata: {{"token":"{SECRET}"}}\n\ndata: {{"a": {{"api_key":"{SECRET}"}}}}\r\n\r\n',
            f'callback({{"token": "{SECRET}"}});',
            f"var settings = {{token: '{SECRET}', 'password': \"{SECRET}\"}};",
            f'const token = "{SECRET}";',
            f'5" wide {{"token":"{SECRET}"}} "',
            rf'x = "{{\"token\":\"{SECRET}\"}}"',
            f"{{'token': '{SECRET}'}}",
        ):
            self.check_hidden(text)

    def test_elements_of_xml(self):
        for text in (
            f"<r><AccessToken>{SECRET}</AccessToken></r>",
            f'<a:SecretAccessKey xmlns:a="urn:a">\n  {SECRET}\n</a:SecretAccessKey>',
            f"<password><![CDATA[{SECRET}]]></password>",
            f'<user password="{SECRET}"/>',
        ):
            self.check_hidden(text)
        self.check_hidden("<token>S3</token><n>1</n>", f"<token>{HIDDEN}</token><n>1</n>")
        for text in (
            "<token/>", "<token></token>", "<token>\n</token>", "<Code>1</Code>", "<NextToken>a</NextToken>",
            "<token><id>1</id></token>", "<p>the token</p>", "1 < 2 and token > 3",
        ):
            self.assertEqual(SECRETS.text(text), text)

    def test_tags_of_html_that_name_their_value(self):
        for text in (
            f'<input type="hidden" name="csrf_token" value="{SECRET}">',
            f"<INPUT VALUE='{SECRET}' NAME=csrfmiddlewaretoken />",
            f"<input name=password value={SECRET}>",
            f'<meta name="csrf-token" content="{SECRET}">',
        ):
            self.check_hidden(text)
        for text in ('<input name="password" value="">', '<input name="q" value="token">', '<meta name="csrf-token">'):
            self.assertEqual(SECRETS.text(text), text)

    def test_quotes_and_backslashes_within_a_secret(self):
        self.check_hidden('{"token": "S3\\"C\\\\", "id": 7}', f'{{"token": "{HIDDEN}", "id": 7}}')
        self.check_hidden('f({"token": "S3\\"C\\\\", "id": 7})', f'f({{"token": "{HIDDEN}", "id": 7}})')
        self.check_hidden(r'f("{\"token\":\"S3\\\"C\"}")', rf'f("{{\"token\":\"{HIDDEN}\"}}")')

    def test_a_text_that_breaks_off(self):
        self.check_hidden(f'{{"id": 7, "token": "{SECRET}', f'{{"id": 7, "token": "{HIDDEN}"')
        self.check_hidden(f'{{"a":[{{"token":"{SECRET}\\', f'{{"a":[{{"token":"{HIDDEN}"')

    def test_graphql(self):
        query = f'mutation {{ login(user: "ada", password: "{SECRET}") {{ token code }} }}'
        self.check_hidden(query)
        self.check_hidden(json.dumps({"query": query, "variables": {"password": SECRET}}))
        self.check_hidden(f'mutation {{ login(password: """{SECRET}""") {{ id }} }}')

    def test_a_json_web_token_wherever_it_stands(self):
        token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP"
        inner = json.dumps({"b": token})
        for text in (f'{{"access": "{token}"}}', f"<p>{token}</p>", token, f"/x?a={token}", json.dumps({"a": inner})):
            self.check_hidden(text, text.replace(token, HIDDEN))
        self.assertEqual(SECRETS.header("X-Own", token), HIDDEN)
        self.assertEqual(SECRETS.form(f"a={token}"), f"a={HIDDEN}")

    def test_urls(self):
        for text in (
            f"https://api.example.com/users?page=2&access_token={SECRET}",
            f"/users?code={SECRET}&state=1",
            f"https://app.example.com/#access_token={SECRET}&token_type=bearer",
            f"<https://api.example.com/?api_key={SECRET}>; rel=\"next\"",
            f"<a href='/x?a=1&amp;token={SECRET}'>",
            f"https://api.example.com/?access%5Ftoken={SECRET}",
            f"oauth_token={SECRET}&oauth_token_secret={SECRET}",
            f"https://example.com/login?next=https%3A%2F%2Fb.example%2F%3Ftoken%3D{SECRET}",
        ):
            self.check_hidden(text)
            self.check_hidden(json.dumps({"next": text}))
        for text in ("https://u:S3@api.example.com/a@b", "ftp://S3:C:R@api.example.com/a@b"):
            shown = f"{text.partition('://')[0]}://{HIDDEN}@api.example.com/a@b"
            self.check_hidden(text, shown)
            self.check_hidden(json.dumps({"next": text}), json.dumps({"next": shown}))
        self.check_hidden(
            '{"next": "https:\\/\\/u:S3@b.example\\/"}', json.dumps({"next": f"https://{HIDDEN}@b.example/"})
        )

    def test_what_is_hidden_stays_hidden(self):
        for text in (
            f'{{"token": "{SECRET}", "next": "https://u:p@b.example/?token={SECRET}"}}', f"a?token={SECRET}"
        ):
            once = SECRETS.text(text)
            self.assertEqual(SECRETS.text(once), once)

    def test_no_text_takes_long(self):
        started = time.perf_counter()
        for text in (
            "token:" * 20000, 'token:"' * 20000, "\\" * 50000 + '"', '{"token":' * 20000, "[ " * 50000,
            "token" + " " * 99999, "data:" + " " * 50000 + "token", "a" * 200000 + ":token", "://@" * 30000,
            "token: [" + "1," * 50000, '"' * 30000, "?token" * 20000, "?a=" * 30000 + "%",
            "<token " * 30000, "<token>" * 30000, "<token>" + " " * 99999, "<a " + "name=token " * 30000 + ">",
            "<token><![CDATA[" * 20000,
        ):
            SECRETS.text(text)
        self.assertLess(time.perf_counter() - started, 20)


class NamesTest(unittest.TestCase):
    def test_headers(self):
        for name in (
            "Authorization", "authorization", "Proxy-Authorization", "X-Api-Key", "apikey", "X-Auth-Token",
            "X-Secret-Id", "X-Hub-Signature", "X-Session-Id", "X-CSRF", "X-Xsrf-Token", "Ocp-Apim-Subscription-Key",
            "X-Functions-Key", "DD-APPLICATION-KEY",
        ):
            self.assertEqual(SECRETS.header(name, SECRET), HIDDEN, name)
        for name in ("Accept", "WWW-Authenticate", "X-Request-Id", "Idempotency-Key", "Session", "Author"):
            self.assertEqual(SECRETS.header(name, SECRET), SECRET, name)

    def test_cookies_keep_their_names_and_attributes(self):
        self.assertEqual(SECRETS.header("Cookie", f"sid={SECRET}; theme=x"), f"sid={HIDDEN}; theme={HIDDEN}")
        self.assertEqual(
            SECRETS.header("Set-Cookie", f"sid={SECRET}; Path=/; HttpOnly\na={SECRET}"),
            f"sid={HIDDEN}; Path=/; HttpOnly\na={HIDDEN}",
        )
        self.assertEqual(SECRETS.header("cookie", SECRET), HIDDEN)
        self.assertEqual(SECRETS.header("Set-Cookie", 'a=""; Max-Age=0\nb=;Max-Age=0'), 'a=""; Max-Age=0\nb=;Max-Age=0')

    def test_the_query_of_a_location_counts_as_a_query(self):
        self.assertEqual(SECRETS.header("Location", f"/cb?code={SECRET}&x=1"), f"/cb?code={HIDDEN}&x=1")
        self.assertEqual(
            SECRETS.header("Referer", f"https://u:{SECRET}@a.example/?token={SECRET}"),
            f"https://{HIDDEN}@a.example/?token={HIDDEN}",
        )

    def test_forms(self):
        self.assertEqual(
            SECRETS.form(
                f"grant_type=x&code={SECRET}&client%5Fsecret={SECRET}&user[password]={SECRET}&token=&a"
                f"&payload=%7B%22token%22%3A%22{SECRET}%22%7D"
            ),
            f"grant_type=x&code={HIDDEN}&client%5Fsecret={HIDDEN}&user[password]={HIDDEN}&token=&a"
            f"&payload=%7B%22token%22%3A%22{HIDDEN}%22%7D",
        )

    def test_names_of_ones_own(self):
        own = Secrets(["X-Team", "iban"])
        self.assertEqual(own.header("x-team", SECRET), HIDDEN)
        self.assertEqual(own.text(f'{{"IBAN": "{SECRET}", "x_team": "{SECRET}"}}').count(HIDDEN), 2)
        self.assertEqual(own.form(f"iban={SECRET}"), f"iban={HIDDEN}")
        self.assertEqual(SECRETS.text(f'{{"iban": "{SECRET}"}}'), f'{{"iban": "{SECRET}"}}')

    def test_the_placeholder_is_ascii_that_needs_no_quoting(self):
        self.assertRegex(HIDDEN, r"\A[a-z-]+\Z")
        self.assertRegex(f"a {SECRET} b", as_pattern(f"a {HIDDEN} b"))
