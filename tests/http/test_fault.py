import json

from gateway.http.fault import json_error


def test_the_body_is_the_form_of_aip_193():
    body = json_error(400, "INVALID_ARGUMENT", "BAD_REQUEST", 'The "Host" field is missing.')
    assert json.loads(body) == {
        "error": {
            "code": 400,
            "status": "INVALID_ARGUMENT",
            "message": 'The "Host" field is missing.',
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "BAD_REQUEST",
                    "domain": "gateway",
                }
            ],
        }
    }
