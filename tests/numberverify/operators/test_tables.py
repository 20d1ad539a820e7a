"""Reading operators.toml: what is refused, and how it is named."""

import tomllib

import pytest

from numberverify.errors import ConfigurationError
from numberverify.operators.base import OperatorSettings
from numberverify.operators.tables import read_tables

SECRET = "s3cret-of-ours"
GOOD = {
    "dialect": "mobile-connect",
    "base_url": "https://operator.example/mobileconnect",
    "client_id": "id of ours",
    "client_secret": SECRET,
}
NO_SECRET = {key: GOOD[key] for key in GOOD if key != "client_secret"}


def refusal(tables) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read_tables(tables)
    assert SECRET not in f"{caught.value} {caught.value.__cause__}"
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        pytest.param({"client_sercet": SECRET}, "client_sercet", id="unknown key"),
        pytest.param({"name": "x"}, "name", id="name as a key"),
        pytest.param({"dialect": None}, "dialect", id="no dialect"),
        pytest.param({"dialect": "smtp"}, "dialect", id="unknown dialect"),
        pytest.param({"dialect": ["mobile-connect"]}, "dialect", id="dialect a list"),
        pytest.param({"base_url": None}, "base_url", id="no address"),
        pytest.param({"base_url": ""}, "base_url", id="empty address"),
        pytest.param({"base_url": 5}, "base_url", id="address a number"),
        pytest.param({"base_url": "operator.example"}, "base_url", id="no scheme"),
        pytest.param({"base_url": "ftp://operator.example"}, "base_url", id="ftp"),
        pytest.param({"base_url": "https://"}, "base_url", id="no host"),
        pytest.param({"base_url": "https://["}, "base_url", id="half an address"),
        pytest.param({"base_url": "https://a.example:port"}, "base_url", id="no port"),
        pytest.param({"base_url": "https://a.example:99999"}, "base_url", id="port"),
        pytest.param({"base_url": "http://operator.example"}, "base_url", id="http"),
        pytest.param(
            {"base_url": "http://localhost.evil.example"}, "base_url", id="lookalike"
        ),
        pytest.param({"base_url": "http://127.0.0.1.nip.io"}, "base_url", id="nip.io"),
        pytest.param({"base_url": "http://10.0.0.1"}, "base_url", id="http inside"),
        pytest.param({"base_url": "http://0.0.0.0"}, "base_url", id="http anywhere"),
        pytest.param({"base_url": "https://a.example/?b=c"}, "base_url", id="query"),
        pytest.param({"base_url": "https://a.example/#b"}, "base_url", id="fragment"),
        pytest.param(
            {"base_url": f"https://id:{SECRET}@a.example"}, "base_url", id="credentials"
        ),
        pytest.param(
            {"base_url": f"https://:{SECRET}@a.example"}, "base_url", id="a password"
        ),
        pytest.param(
            {"base_url": f"https://id:{SECRET}@℀.example"},
            "base_url",
            id="credentials in an address that cannot be read",
        ),
        pytest.param({"token_endpoint": "http://a.example"}, "token_endpoint", id="t"),
        pytest.param({"match_url": "http://a.example"}, "match_url", id="match"),
        pytest.param({"jwks_uri": "http://a.example"}, "jwks_uri", id="keys"),
        pytest.param({"jwks_uri": True}, "jwks_uri", id="keys true"),
        pytest.param(
            {"authorization_endpoint": "http://a.example"},
            "authorization_endpoint",
            id="authorization",
        ),
        pytest.param({"client_id": None}, "client_id", id="no id"),
        pytest.param({"client_id": ""}, "client_id", id="empty id"),
        pytest.param({"client_id": 5}, "client_id", id="id a number"),
        pytest.param({"client_secret": None}, "client_secret", id="no secret"),
        pytest.param({"client_secret": ""}, "client_secret", id="empty secret"),
        pytest.param({"client_secret": [SECRET]}, "client_secret", id="secret a list"),
        pytest.param({"send": "both"}, "send", id="send both"),
        pytest.param({"send": ""}, "send", id="send nothing"),
        pytest.param({"send": ["hash"]}, "send", id="send a list"),
        pytest.param({"hash_input": "+"}, "hash_input", id="hash input"),
        pytest.param({"hash_input": True}, "hash_input", id="hash input true"),
        pytest.param({"deadline": 0}, "deadline", id="deadline nought"),
        pytest.param({"deadline": -1}, "deadline", id="deadline negative"),
        pytest.param({"deadline": 61}, "deadline", id="deadline over a minute"),
        pytest.param({"deadline": float("nan")}, "deadline", id="deadline no number"),
        pytest.param({"deadline": float("inf")}, "deadline", id="deadline for ever"),
        pytest.param({"deadline": "12"}, "deadline", id="deadline as text"),
        pytest.param({"deadline": [12]}, "deadline", id="deadline a list"),
        pytest.param({"connect_timeout": 0}, "connect_timeout", id="connect timeout"),
        pytest.param({"connect_timeout": "3"}, "connect_timeout", id="and as text"),
        pytest.param({"read_timeout": -1}, "read_timeout", id="read timeout"),
        pytest.param({"threads": 0}, "threads", id="no threads"),
        pytest.param({"threads": 2.5}, "threads", id="half a thread"),
        pytest.param({"threads": "64"}, "threads", id="threads as text"),
        pytest.param({"countries": "GB"}, "countries", id="countries as text"),
        pytest.param({"countries": 44}, "countries", id="countries a number"),
        pytest.param({"countries": [44]}, "countries", id="countries of numbers"),
        pytest.param({"countries": ["gb"]}, "countries", id="small letters"),
        pytest.param({"countries": ["United Kingdom"]}, "countries", id="a name"),
        pytest.param({"test": "false"}, "test", id="test as text"),
    ],
)
def test_a_bad_table_is_refused_by_name_and_key(changes, key):
    table = {k: v for k, v in (GOOD | changes).items() if v is not None}

    message = refusal({"orange-fr": GOOD, "vodafone-uk": table})

    assert "'vodafone-uk'" in message
    assert key in message


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("", id="empty"),
        pytest.param("Vodafone", id="capital"),
        pytest.param("vodafone uk", id="space"),
        pytest.param("vodafone_uk", id="underscore"),
        pytest.param("vodafone/uk", id="slash"),
        pytest.param("..", id="dots"),
        pytest.param("-uk", id="dash first"),
        pytest.param("voda\n", id="line end"),
        pytest.param("vodafoné", id="accent"),
        pytest.param("v" * 33, id="33 characters"),
    ],
)
def test_a_name_that_cannot_be_in_an_address_is_refused(name):
    assert repr(name) in refusal({name: GOOD})


@pytest.mark.parametrize(
    "table", [pytest.param(SECRET, id="text"), pytest.param([GOOD], id="list")]
)
def test_what_is_no_table_is_refused(table):
    assert "'vodafone-uk'" in refusal({"vodafone-uk": table})


@pytest.mark.parametrize(
    ("value", "changes", "named"),
    [
        pytest.param(None, {}, "VODAFONE_SECRET", id="not set"),
        pytest.param("", {}, "VODAFONE_SECRET", id="empty"),
        pytest.param(SECRET, {"client_secret": SECRET}, "client_secret_env", id="both"),
        pytest.param(
            SECRET, {"client_secret_env": 5}, "client_secret_env", id="a number"
        ),
        pytest.param(SECRET, {"client_secret_env": ""}, "client_secret", id="unnamed"),
        pytest.param(
            SECRET, {"client_secret_env": SECRET}, "client_secret_env", id="the secret"
        ),
    ],
)
def test_a_secret_of_the_environment_must_be_there(monkeypatch, value, changes, named):
    monkeypatch.delenv("VODAFONE_SECRET", raising=False)
    if value is not None:
        monkeypatch.setenv("VODAFONE_SECRET", value)
    table = NO_SECRET | {"client_secret_env": "VODAFONE_SECRET"} | changes

    message = refusal({"vodafone-uk": table})

    assert "'vodafone-uk'" in message
    assert named in message


def test_the_table_of_the_documentation_is_read(monkeypatch):
    monkeypatch.setenv("VODAFONE_UK_SECRET", SECRET)
    text = """
        [vodafone-uk]
        dialect = "mobile-connect"
        label = "Vodafone UK"
        base_url = "https://operator.example/mobileconnect"
        client_id = "an id"
        client_secret_env = "VODAFONE_UK_SECRET"
        countries = ["GB"]
        send = "hash"
        hash_input = "plus"
    """

    read = read_tables(tomllib.loads(text))

    assert read == {
        "vodafone-uk": OperatorSettings(
            name="vodafone-uk",
            dialect="mobile-connect",
            label="Vodafone UK",
            base_url="https://operator.example/mobileconnect",
            client_id="an id",
            client_secret=SECRET,
            countries=("GB",),
        )
    }


def test_a_table_of_four_keys_is_enough():
    (settings,) = read_tables({"o": GOOD}).values()

    assert (settings.send, settings.hash_input) == ("hash", "plus")
    assert settings.deadline == 12
    assert settings.test is False
    assert settings.expected_issuer == GOOD["base_url"]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"deadline": 60}, id="a minute"),
        pytest.param({"deadline": 0.5}, id="half a second"),
        pytest.param({"base_url": "http://127.0.0.1:8000/x"}, id="loopback"),
        pytest.param({"base_url": "http://localhost"}, id="localhost"),
        pytest.param({"base_url": "http://[::1]:1"}, id="loopback of IPv6"),
        pytest.param({"base_url": "HTTPS://A.Example"}, id="capitals"),
        pytest.param({"issuer": "an issuer"}, id="issuer"),
        pytest.param({"test": True}, id="test"),
        pytest.param({"countries": []}, id="all countries"),
    ],
)
def test_a_good_table_is_read(changes):
    (settings,) = read_tables({"vodafone-uk": GOOD | changes}).values()

    for key, value in changes.items():
        assert getattr(settings, key) == (tuple(value) if key == "countries" else value)


def test_a_slash_at_the_end_of_the_address_is_dropped():
    (settings,) = read_tables(
        {"o": GOOD | {"base_url": "https://operator.example/mobileconnect/"}}
    ).values()

    assert settings.base_url == "https://operator.example/mobileconnect"


def test_the_order_of_the_file_is_kept():
    assert list(read_tables({"b": GOOD, "a": GOOD, "c": GOOD})) == ["b", "a", "c"]


def test_no_tables_are_no_operators():
    assert read_tables({}) == {}


@pytest.mark.parametrize(
    ("countries", "asked", "serves"),
    [
        ((), ("FR",), True),
        ((), (), True),
        (("GB", "DE"), ("GB",), True),
        (("GB",), ("JE", "GB"), True),
        (("JE",), ("JE", "GB"), True),
        (("GB",), ("FR",), False),
        (("GB",), (), False),
    ],
)
def test_an_operator_serves_its_countries_or_all(countries, asked, serves):
    (settings,) = read_tables({"o": GOOD | {"countries": list(countries)}}).values()

    assert settings.serves(asked) is serves
