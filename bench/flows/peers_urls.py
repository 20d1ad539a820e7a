from typing import Any

from django.conf import settings
from django.urls import include, path

urlpatterns: list[Any]
if settings.PEER == "bare":
    from .bare import views

    urlpatterns = [path("start/", views.start), path("callback/", views.callback)]
elif settings.PEER == "allauth":
    urlpatterns = [path("accounts/", include("allauth.urls"))]
else:
    urlpatterns = [path("oidc/", include("mozilla_django_oidc.urls"))]
