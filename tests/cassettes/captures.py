"""HAR files as browsers and a proxy write them, made by hand after what they document."""

# As "Save all as HAR with content" of Chrome's network panel writes it.
CHROME = {
    "log": {
        "version": "1.2",
        "creator": {"name": "WebInspector", "version": "537.36"},
        "pages": [
            {
                "startedDateTime": "2026-03-01T10:00:00.000Z",
                "id": "page_1",
                "title": "https://app.example.com/?code=S3CR3T",
                "pageTimings": {"onContentLoad": 10.5, "onLoad": 20.5},
            }
        ],
        "entries": [
            {
                "_initiator": {"type": "script", "url": "https://app.example.com/?token=S3CR3T"},
                "_priority": "High",
                "_resourceType": "fetch",
                "cache": {},
                "connection": "443",
                "pageref": "page_1",
                "request": {
                    "method": "GET",
                    "url": "https://api.example.com/users?page=1&access_token=S3CR3T",
                    "httpVersion": "http/2.0",
                    "headers": [
                        {"name": ":authority", "value": "api.example.com"},
                        {"name": ":method", "value": "GET"},
                        {"name": ":path", "value": "/users?page=1&access_token=S3CR3T"},
                        {"name": "cookie", "value": "sid=S3CR3T"},
                        {"name": "accept", "value": "application/json"},
                    ],
                    "queryString": [
                        {"name": "page", "value": "1"}, {"name": "access_token", "value": "S3CR3T"},
                    ],
                    "cookies": [
                        {"name": "sid", "value": "S3CR3T", "path": "/", "domain": "api.example.com",
                         "expires": "2026-03-02T10:00:00.000Z", "httpOnly": True, "secure": True},
                    ],
                    "headersSize": -1,
                    "bodySize": 0,
                },
                "response": {
                    "status": 200,
                    "statusText": "",
                    "httpVersion": "http/2.0",
                    "headers": [
                        {"name": ":status", "value": "200"},
                        {"name": "content-type", "value": "application/json; charset=utf-8"},
                        {"name": "content-encoding", "value": "gzip"},
                        {"name": "content-length", "value": "31"},
                        {"name": "date", "value": "Sun, 01 Mar 2026 10:00:00 GMT"},
                        {"name": "set-cookie", "value": "a=S3CR3T; Path=/\nb=S3CR3T; Path=/; HttpOnly"},
                        {"name": "x-empty", "value": ""},
                    ],
                    "cookies": [],
                    "content": {"size": 20, "mimeType": "application/json", "compression": 0, "text": '[{"name": "Åda"}]'},
                    "redirectURL": "",
                    "headersSize": -1,
                    "bodySize": -1,
                    "_transferSize": 120,
                    "_error": None,
                    "_fetchedViaServiceWorker": False,
                },
                "serverIPAddress": "[2001:db8::1]",
                "startedDateTime": "2026-03-01T10:00:00.123Z",
                "time": 60.5,
                "timings": {
                    "blocked": 2.5, "dns": -1, "ssl": -1, "connect": -1, "send": 0.5, "wait": 50, "receive": 7.5,
                    "_blocked_queueing": 1.2, "_workerStart": -1,
                },
            },
            {
                "request": {
                    "method": "POST",
                    "url": "https://api.example.com/login",
                    "httpVersion": "h3",
                    "headers": [{"name": "content-type", "value": "application/x-www-form-urlencoded"}],
                    "queryString": [],
                    "cookies": [],
                    "postData": {
                        "mimeType": "application/x-www-form-urlencoded",
                        "text": "user=ada&password=S3CR3T",
                        "params": [{"name": "user", "value": "ada"}, {"name": "password", "value": "S3CR3T"}],
                    },
                },
                "response": {
                    "status": 302, "statusText": "", "httpVersion": "h3", "cookies": [],
                    "headers": [{"name": "location", "value": "https://api.example.com/a{b}?code=S3CR3T"}],
                    "content": {"size": 0, "mimeType": "x-unknown"},
                    "redirectURL": "https://api.example.com/a{b}?code=S3CR3T",
                },
                "startedDateTime": "2026-03-01T10:00:01.000Z", "time": 1, "timings": {"send": 0, "wait": 1, "receive": 0},
            },
            {
                "request": {
                    "method": "GET", "url": "https://api.example.com/a{b}?code=S3CR3T", "httpVersion": "h3", "headers": [],
                },
                "response": {
                    "status": 200, "statusText": "", "httpVersion": "h3", "headers": [],
                    "content": {"size": 3, "mimeType": "image/png", "text": "AP9h", "encoding": "base64"},
                },
                "startedDateTime": "2026-03-01T10:00:02.000Z", "time": 1, "timings": {"send": 0, "wait": 1, "receive": 0},
            },
            {
                "request": {"method": "GET", "url": "https://ads.example.com/", "httpVersion": "", "headers": []},
                "response": {
                    "status": 0, "statusText": "", "httpVersion": "", "headers": [], "content": {"size": 0, "mimeType": "x-unknown"},
                    "_error": "net::ERR_BLOCKED_BY_CLIENT",
                },
                "startedDateTime": "2026-03-01T10:00:02.000Z", "time": 1, "timings": {"send": -1, "wait": -1, "receive": -1},
            },
            {
                "request": {"method": "GET", "url": "data:image/png;base64,AP9h", "httpVersion": "", "headers": []},
                "response": {"status": 200, "statusText": "OK", "headers": [], "content": {"size": 3, "mimeType": "image/png"}},
                "startedDateTime": "2026-03-01T10:00:02.000Z", "time": 0, "timings": {"send": -1, "wait": -1, "receive": -1},
            },
            {
                "request": {"method": "GET", "url": "blob:https://app.example.com/0b1c", "headers": []},
                "response": {"status": 200, "statusText": "OK", "headers": [], "content": {"size": 3, "mimeType": "text/html"}},
                "startedDateTime": "2026-03-01T10:00:02.000Z", "time": 0, "timings": {"send": -1, "wait": -1, "receive": -1},
            },
            {
                "_resourceType": "websocket",
                "_webSocketMessages": [
                    {"type": "send", "time": 1772359200.1, "opcode": 1, "data": '{"op": "auth", "token": "S3CR3T"}'},
                    {"type": "receive", "time": 1772359200.2, "opcode": 1, "data": "ok"},
                ],
                "request": {"method": "GET", "url": "wss://api.example.com/live", "httpVersion": "HTTP/1.1", "headers": []},
                "response": {
                    "status": 101, "statusText": "Switching Protocols", "httpVersion": "HTTP/1.1", "headers": [],
                    "content": {"size": 0, "mimeType": "x-unknown"},
                },
                "startedDateTime": "2026-03-01T10:00:02.000Z", "time": 100, "timings": {"send": 0, "wait": 1, "receive": 0},
            },
        ],
    }
}

# As "Save All As HAR" of Firefox's network monitor writes it.
FIREFOX = {
    "log": {
        "version": "1.2",
        "creator": {"name": "Firefox", "version": "140.0"},
        "browser": {"name": "Firefox", "version": "140.0"},
        "pages": [],
        "entries": [
            {
                "startedDateTime": "2026-03-01T11:00:00.123+01:00",
                "request": {
                    "bodySize": 14,
                    "method": "POST",
                    "url": "https://api.example.com/users",
                    "httpVersion": "HTTP/2",
                    "headers": [{"name": "Content-Type", "value": "application/json"}],
                    "cookies": [],
                    "queryString": [],
                    "headersSize": 300,
                    "postData": {"mimeType": "application/json", "params": [], "text": '{"name": "Ada"}'},
                },
                "response": {
                    "status": 201,
                    "statusText": "Created",
                    "httpVersion": "HTTP/2",
                    "headers": [
                        {"name": "content-type", "value": "application/json"},
                        {"name": "set-cookie", "value": "a=1; Path=/"},
                        {"name": "set-cookie", "value": "b=2; Path=/"},
                        {"name": "X-Firefox-Spdy", "value": "h2"},
                    ],
                    "cookies": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}],
                    "content": {"mimeType": "application/json", "size": 9, "text": '{"id": 7}'},
                    "redirectURL": "",
                    "headersSize": 200,
                    "bodySize": 209,
                },
                "cache": {},
                "timings": {"blocked": -1, "dns": 0, "connect": 0, "ssl": 0, "send": 0, "wait": 25, "receive": 0},
                "time": 25,
                "_securityState": "secure",
                "serverIPAddress": "192.0.2.1",
                "connection": "443",
            },
            {
                "startedDateTime": "2026-03-01T11:00:01.000+01:00",
                "request": {"method": "GET", "url": "https://api.example.com/cancelled", "httpVersion": "", "headers": []},
                "response": {
                    "status": 0, "statusText": "", "httpVersion": "", "headers": [], "cookies": [], "content": {}, "redirectURL": "",
                },
                "cache": {}, "timings": {}, "time": 0,
            },
        ],
    }
}

# As mitmproxy saves it.
PROXY = {
    "log": {
        "version": "1.2",
        "creator": {"name": "mitmproxy", "version": "12.0", "comment": ""},
        "pages": [],
        "entries": [
            {
                "startedDateTime": "2026-03-01T10:00:00.123456+00:00",
                "time": 12.3,
                "request": {
                    "method": "GET",
                    "url": "http://api.example.com:8080/image",
                    "httpVersion": "HTTP/1.1",
                    "cookies": [],
                    "headers": [{"name": "Host", "value": "api.example.com:8080"}],
                    "queryString": [],
                    "headersSize": 60,
                    "bodySize": 0,
                },
                "response": {
                    "status": 200,
                    "statusText": "OK",
                    "httpVersion": "HTTP/1.1",
                    "cookies": [],
                    "headers": [
                        {"name": "Content-Type", "value": "image/png"}, {"name": "Transfer-Encoding", "value": "chunked"},
                        {"name": "Connection", "value": "keep-alive"},
                    ],
                    "content": {
                        "size": 4, "compression": 0, "mimeType": "image/png", "text": "iVBORw==", "encoding": "base64",
                    },
                    "redirectURL": "",
                    "headersSize": 90,
                    "bodySize": 4,
                },
                "cache": {},
                "timings": {"connect": -1.0, "ssl": -1.0, "send": 1.0, "receive": 2.3, "wait": 9.0},
                "serverIPAddress": "192.0.2.1",
            }
        ],
    }
}
