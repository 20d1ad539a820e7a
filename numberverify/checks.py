"""System checks: a wrong setting stops the deploy, not the person."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from . import conf, policy, routing, windows
from .choices import Purpose
from .errors import ConfigurationError
from .factors import operator_sms, sms
from .operators.tables import read_table

MIDDLEWARE = "numberverify.middleware.LimitsMiddleware"
REFUSED = "numberverify.middleware.RefusedMiddleware"
HANDOFF = "numberverify.middleware.HandoffMiddleware"
SHORTEST_KEY = 32  # characters; the same as hexadecimal of 128 bits
# What is wrong with an operator's table: the check's id, and what to do.
TABLE_PROBLEMS = {
    "unknown_key": (
        "numberverify.E010",
        "docs/reference/settings.md lists the keys of each dialect.",
    ),
    "missing": (
        "numberverify.E011",
        "Give it in the table, or a secret in the variable or file that it names.",
    ),
    "http": (
        "numberverify.E012",
        "Secrets and numbers go there: use https, or a loopback address.",
    ),
    "scope": (
        "numberverify.E013",
        'Like "openid dpv:FraudPreventionAndDetection number-verification:verify".',
    ),
    "key": (
        "numberverify.E014",
        "RSA of 2048 bits or EC P-256; the server's own user must be able to read it.",
    ),
    "short_key": (
        "numberverify.E015",
        "Make another one, and register its public half with the operator.",
    ),
    "value": (
        "numberverify.E016",
        "docs/reference/settings.md says what each key may be.",
    ),
}


@register()
def operators_can_be_asked(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for name, table in conf.operator_tables().items():
        try:
            read_table(name, table)
        except ConfigurationError as error:
            id, hint = TABLE_PROBLEMS[error.problem]
            # In the environment's words as well: its names are all that somebody has.
            message = f"{error} (NV_OPERATORS_FILE, or the setting NV_OPERATORS)."
            found.append(Error(message, hint=hint, id=id))
    return found


@register(Tags.security, deploy=True)
def operators_are_real(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if operators_can_be_asked(app_configs):
        return []  # said there
    if not routing.operators():
        hint = "Set NV_OPERATORS_FILE, or NV_CLIENT_ID and its neighbours."
        return [Error("No operator can be asked.", hint=hint, id="numberverify.E001")]
    found: list[CheckMessage] = []
    for operator in routing.operators().values():
        if any(address.startswith("http:") for address in operator.addresses):
            message = f"The operator {operator.name!r} is reached over http."
            hint = "Give it https in the file of NV_OPERATORS_FILE, or in NV_API_HOST."
            found.append(Error(message, hint=hint, id="numberverify.E002"))
        if operator.test:
            message = f"The operator {operator.name!r} is a test operator."
            hint = "It verifies whatever number it is told to. Remove its table."
            found.append(Error(message, hint=hint, id="numberverify.E003"))
    return found


@register(Tags.security, deploy=True)
def fingerprint_keys_are_long(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if all(len(key) >= SHORTEST_KEY for key in conf.fingerprint_keys()):
        return []
    message = f"A key in NV_FINGERPRINT_KEYS is shorter than {SHORTEST_KEY} characters."
    hint = "Numbers are few: who guesses the key can find each from its fingerprint."
    return [Error(message, hint=hint, id="numberverify.E004")]


@register()
def policy_can_be_read(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        conf.actions()
        for purpose in Purpose:
            conf.accepts(purpose)
        if ignored := conf.ignored_purposes():
            raise ConfigurationError(f"NV_ACCEPTS: nothing reads {sorted(ignored)}")
    except (ConfigurationError, ValueError) as error:
        return [Error(str(error), id="numberverify.E005")]
    return []


@register()
def handoffs_name_what_there_is(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    # A site of its own may have no action that the default takes out.
    default = {word.removeprefix("-") for word in policy.HANDS_OVER}
    known = default | set(Purpose.values) | set(conf.actions_named())
    named = {word.removeprefix("-") for word in conf.handoff_words()}
    if not (wrong := sorted(named - known)):
        return []
    message = f"NV_HANDOFF names {wrong}, which is neither a purpose nor an action."
    hint = "Words like signup, login, step_up, send_money, -change_phone."
    return [Error(message, hint=hint, id="numberverify.E022")]


@register()
def desktops_are_answered_early(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if HANDOFF in settings.MIDDLEWARE or not conf.handoff_words():
        return []
    message = f"MIDDLEWARE lacks {HANDOFF}."
    hint = "First of all, or each desktop that waits for a phone costs far more."
    return [Warning(message, hint=hint, id="numberverify.W023")]


@register()
def sms_backend_can_be_made(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        conf.sms_backend()
    except Exception as error:  # whatever its module raises at import
        message = f"SMS_BACKEND cannot be used: {type(error).__name__}."
        return [Error(message, id="numberverify.E006")]
    return []


@register()
def own_choice_can_be_imported(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        conf.choose_operator()
    except ImportError:
        message = "NV_CHOOSE_OPERATOR cannot be imported."
        hint = "The dotted path of a function; docs/operators.md has an example."
        return [Error(message, hint=hint, id="numberverify.E017")]
    return []


@register()
def an_operator_sends_the_messages(
    app_configs: Any, **kwargs: Any
) -> list[CheckMessage]:
    by_operators = conf.sms_backend_path().startswith(operator_sms.__name__)
    if not by_operators or operators_can_be_asked(app_configs):
        return []
    if any(each.one_time_password_sms_url for each in routing.operators().values()):
        return []
    message = "SMS_BACKEND is the operators', and none of them sends text messages."
    hint = "Give one_time_password_sms_url in a table whose dialect is camara."
    return [Error(message, hint=hint, id="numberverify.E018")]


@register(Tags.security, deploy=True)
def text_messages_leave_the_machine(
    app_configs: Any, **kwargs: Any
) -> list[CheckMessage]:
    path = conf.sms_backend_path()
    if not path.startswith(sms.__name__):
        return []
    hint = "Name a backend of your own, or none: then SMS is not offered."
    message = f"Text messages go to: {path}."
    return [Error(message, hint=hint, id="numberverify.E007")]


@register()
def limits_can_be_read(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        limits = conf.limits()
    except ConfigurationError as error:
        return [Error(f"NV_LIMITS: {error}.", id="numberverify.E009")]
    if limits is None and not settings.DEBUG:
        message = "NV_LIMITS cannot be off when DEBUG is off."
        return [Error(message, id="numberverify.E009")]
    return []


@register()
def limits_have_a_page(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if MIDDLEWARE in settings.MIDDLEWARE:
        return []
    message = f"MIDDLEWARE lacks {MIDDLEWARE}."
    hint = "Without it a limit that is reached would look like a fault of the site."
    return [Error(message, hint=hint, id="numberverify.E019")]


@register()
def refusals_are_recorded(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    has_admin = apps.is_installed("django.contrib.admin")
    if REFUSED in settings.MIDDLEWARE or not has_admin:
        return []
    message = f"MIDDLEWARE lacks {REFUSED}."
    hint = "Without it a page of the admin that is refused leaves no record."
    return [Error(message, hint=hint, id="numberverify.E021")]


@register(Tags.security, deploy=True)
def limits_are_shared(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if conf.limits_store()[0]:
        return []
    message = "Limits are counted in each process for itself."
    hint = "Set CACHE_URL to a Redis that all processes reach."
    return [Error(message, hint=hint, id="numberverify.E008")]


@register(Tags.security, deploy=True)
def limits_are_not_evicted(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    address, prefix = conf.limits_store()
    try:
        policy = windows.shared(address, prefix).forgets() if address else ""
    except windows.StoreDown:
        return []  # away for now, which a start survives
    if not policy:
        return []
    message = f"The Redis of CACHE_URL evicts keys: its maxmemory-policy is {policy}."
    hint = "When it is full it forgets who was guessing. Set it to noeviction."
    return [Error(message, hint=hint, id="numberverify.E025")]


@register(Tags.security, deploy=True)
def the_proxy_is_trusted(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if conf.trusted_proxy_count() or not conf.site_url().startswith("https:"):
        return []
    message = "SITE_URL is https, and no proxy is trusted (TRUSTED_PROXY_COUNT)."
    hint = (
        "Behind a proxy all people would share its address, and the limits of one; on "
        "a unix socket nobody has an address, and limits by address do not count. "
        "Silence this where the server itself speaks TLS."
    )
    return [Warning(message, hint=hint, id="numberverify.W020")]
