from django.urls import path

from . import factor_views, handoff_views, privacy_views, views

app_name = "numberverify"
urlpatterns = [
    path("callback/<str:operator>/", views.callback, name="callback"),
    path("privacy/", privacy_views.notice_page, name="privacy"),
    path("authenticator/", factor_views.authenticator, name="authenticator"),
    path("recovery-codes/", factor_views.recovery_codes, name="recovery-codes"),
    path("try/<uuid:verification_id>/<str:secret>/", views.trial_page, name="trial"),
    path("phone/<str:token>/", handoff_views.link_page, name="phone-link"),
    path("<uuid:verification_id>/phone/", handoff_views.phone_page, name="phone"),
    path("<uuid:verification_id>/handoff/", handoff_views.poll, name="handoff"),
    path("<uuid:verification_id>/", views.detail, name="detail"),
]
