from django.contrib import admin
from django.urls import include, path

from .views import safe

urlpatterns = [
    path("safe/", safe),
    path("verify/", include("numberverify.urls")),
    path("admin/", admin.site.urls),
]
