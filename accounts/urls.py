from django.urls import path

from . import (
    account_views,
    browser_views,
    not_me,
    number_views,
    password_views,
    views,
)

app_name = "accounts"
urlpatterns = [
    path("signup/", views.signup_page, name="signup"),
    path("signup/number-taken/", views.number_taken, name="signup-number-taken"),
    path("signup/email-taken/", views.email_taken, name="signup-email-taken"),
    path("signup/<uuid:journey>/", views.signup_journey, name="signup-journey"),
    path("login/", views.login_page, name="login"),
    path("login/<uuid:journey>/", views.login_journey, name="login-journey"),
    path("logout/", views.logout_page, name="logout"),
    path("profile/", views.profile_page, name="profile"),
    path("phone/", views.phone_page, name="phone"),
    path("phone/change/", views.phone_change, name="phone-change"),
    path("phone/remove/", number_views.remove, name="phone-remove"),
    path("phone/claim/", number_views.claim, name="phone-claim"),
    path("phone/release/", number_views.release, name="phone-release"),
    path("phone/<uuid:journey>/", views.phone_journey, name="phone-journey"),
    path("password/change/", password_views.password_change, name="password-change"),
    path("password/reset/", password_views.password_reset, name="password-reset"),
    path(
        "password/reset/sent/",
        password_views.password_reset_sent,
        name="password-reset-sent",
    ),
    path(
        "password/reset/new/<uuid:journey>/",
        password_views.password_reset_new,
        name="password-reset-new",
    ),
    path(
        "password/reset/<str:uidb64>/<str:token>/",
        password_views.password_reset_link,
        name="password-reset-link",
    ),
    path("email/change/", account_views.email_change, name="email-change"),
    path(
        "email/change/<str:token>/",
        account_views.email_change_confirm,
        name="email-change-confirm",
    ),
    path("browsers/", browser_views.browsers_page, name="browsers"),
    path(
        "browsers/<int:device_id>/forget/",
        browser_views.forget_browser,
        name="browser-forget",
    ),
    path("not-me/<str:token>/", not_me.not_me_page, name="not-me"),
    path("sessions/end/", account_views.end_sessions, name="end-sessions"),
    path("export/", account_views.export, name="export"),
    path("close/", account_views.close, name="close"),
    path("closed/", account_views.closed, name="closed"),
    path("email/resend/", password_views.email_resend, name="email-resend"),
    path(
        "email/confirm/<str:token>/", password_views.email_confirm, name="email-confirm"
    ),
    path("email/close/<str:token>/", password_views.email_close, name="email-close"),
]
