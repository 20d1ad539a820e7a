from django.urls import path

from . import factor_views, views

app_name = "numberverify"
urlpatterns = [
    path("callback/<str:operator>/", views.callback, name="callback"),
    path("authenticator/", factor_views.authenticator, name="authenticator"),
    path("recovery-codes/", factor_views.recovery_codes, name="recovery-codes"),
    path("try/<uuid:verification_id>/<str:secret>/", views.trial_page, name="trial"),
    path("<uuid:verification_id>/", views.detail, name="detail"),
]
