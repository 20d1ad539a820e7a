from django.apps import AppConfig


class SandboxConfig(AppConfig):
    name = "numberverify.sandbox"
    label = "sandbox"
    verbose_name = "Sandbox operator"
