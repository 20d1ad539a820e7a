from django.urls import path

from . import views

app_name = "numberverify"
urlpatterns = [
    path("callback/<str:operator>/", views.callback, name="callback"),
    path("<uuid:verification_id>/", views.detail, name="detail"),
]
