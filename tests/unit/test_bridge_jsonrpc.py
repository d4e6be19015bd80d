"""The sans-IO JSON-RPC endpoint: two ends that talk, and garbage that never raises."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicepilot.bridge.jsonrpc import (
    INVALID_PARAMS,
    MAX_TEXT,
    OUR_REFUSAL,
    PARSE_ERROR,
    Endpoint,
    Malformed,
    Notification,
    Refusal,
    Reply,
    Request,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
finite_values = json_values.filter(lambda value: "Infinity" not in json.dumps(value))


@given(st.text(), st.dictionaries(st.text(), finite_values), finite_values)
def test_a_request_and_its_reply_arrive_as_they_were_sent(method, params, result):
    page, backend = Endpoint(), Endpoint()
    request_id, text = page.request(method, params)
    assert backend.receive(text) == Request(request_id, method, params)
    assert page.receive(backend.reply(request_id, result)) == Reply(request_id, result)
    assert page.awaited == frozenset()


def test_a_refusal_carries_its_data():
    page, backend = Endpoint(), Endpoint()
    request_id, _ = page.request("call.open", {})
    text = backend.refuse(request_id, OUR_REFUSAL, "no", {"code": "service-busy"})
    assert page.receive(text) == Refusal(request_id, OUR_REFUSAL, "no", {"code": "service-busy"})


def test_a_notification_has_no_id():
    text = Endpoint().notify("call.closed", {"call_id": "rtc_1"})
    assert "id" not in json.loads(text)
    assert Endpoint().receive(text) == Notification("call.closed", {"call_id": "rtc_1"})


def test_answers_out_of_order_find_their_requests():
    page = Endpoint()
    first, _ = page.request("a", {})
    second, _ = page.request("b", {})
    assert page.receive(Endpoint().reply(second, "B")) == Reply(second, "B")
    assert page.receive(Endpoint().reply(first, "A")) == Reply(first, "A")


def test_an_answer_counts_once():
    page = Endpoint()
    request_id, _ = page.request("a", {})
    answer = Endpoint().reply(request_id, 1)
    assert isinstance(page.receive(answer), Reply)
    assert isinstance(page.receive(answer), Malformed)


def test_the_answer_to_a_forgotten_request_is_no_reply():
    page = Endpoint()
    request_id, _ = page.request("a", {})
    page.forget(request_id)
    assert isinstance(page.receive(Endpoint().reply(request_id, 1)), Malformed)


@pytest.mark.parametrize("answered_id", [True, 1.0, "1", None, 2])
def test_only_the_exact_id_is_an_answer(answered_id):
    page = Endpoint()
    assert page.request("a", {})[0] == 1
    text = json.dumps({"jsonrpc": "2.0", "id": answered_id, "result": 1})
    assert isinstance(page.receive(text), Malformed)
    assert page.awaited == {1}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Malformed("not JSON", PARSE_ERROR)),
        ("[" * 100_000, Malformed("not JSON", PARSE_ERROR)),
        ('{"jsonrpc":"2.0","id":NaN,"method":"a"}', Malformed("not JSON", PARSE_ERROR)),
        ("[]", Malformed("not a JSON object (batches are not used here)")),
        ('{"id":7,"method":"a"}', Malformed('without "jsonrpc": "2.0"', id=7)),
        (
            '{"jsonrpc":"2.0","id":"x","method":"a","params":[1]}',
            Malformed("params that are no object", INVALID_PARAMS, "x"),
        ),
        (
            '{"jsonrpc":"2.0","id":true,"method":"a"}',
            Malformed("an id that is neither a whole number nor text"),
        ),
        ('{"jsonrpc":"2.0","method":5}', Malformed("a method that is no text")),
    ],
)
def test_what_is_no_message_says_why(text, expected):
    assert Endpoint().receive(text) == expected


def test_frames_are_bounded_both_ways():
    endpoint = Endpoint()
    assert isinstance(endpoint.receive(" " * (MAX_TEXT + 1)), Malformed)
    with pytest.raises(ValueError, match="limit"):
        endpoint.request("a", {"text": "x" * MAX_TEXT})
    assert endpoint.awaited == frozenset()


@pytest.mark.parametrize("value", [float("nan"), object(), b"bytes"])
def test_what_is_no_json_is_refused_and_uses_no_id(value):
    endpoint = Endpoint()
    with pytest.raises(ValueError, match="JSON"):
        endpoint.request("a", {"value": value})
    assert endpoint.request("a", {})[0] == 1


rpc_shaped = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | json_values,
        "id": json_values,
        "method": json_values,
        "params": json_values,
        "result": json_values,
        "error": json_values | st.fixed_dictionaries({"code": json_values, "message": json_values}),
    },
)


@given(st.text() | json_values.map(json.dumps) | rpc_shaped.map(json.dumps))
def test_garbage_never_raises(text):
    endpoint = Endpoint()
    endpoint.request("a", {})
    assert isinstance(endpoint.receive(text), Request | Notification | Reply | Refusal | Malformed)
