import json

import pytest

from vivavoce.gateway.refusal import Refusal


class TestResponse:
    def test_has_the_shape_of_an_error_of_openai(self):
        response = Refusal(
            400, "Missing required parameter: 'model'.", code="missing_required_parameter", param="model"
        ).response()
        assert response.status == 400
        assert response.content_type == "application/json"
        assert json.loads(response.body) == {
            "error": {
                "message": "Missing required parameter: 'model'.",
                "type": "invalid_request_error",
                "code": "missing_required_parameter",
                "param": "model",
            }
        }

    def test_is_not_kept_by_caches(self):
        assert Refusal(403, "No.", code="x").response().headers["Cache-Control"] == "no-store"

    @pytest.mark.parametrize("status", [429, 503])
    def test_says_when_to_come_again(self, status):
        response = Refusal(status, "Later.", code="x", type="server_error", retry_after=7).response()
        assert response.headers["Retry-After"] == "7"

    def test_says_nothing_of_coming_again_when_that_would_not_help(self):
        assert "Retry-After" not in Refusal(403, "No.", code="x").response().headers

    def test_asks_for_a_key_where_one_is_missing(self):
        response = Refusal(401, "Incorrect API key provided.", code="invalid_api_key").response()
        assert response.headers["WWW-Authenticate"] == "Bearer"
