from django.contrib import admin
from django.urls import include, path

from .views import bell, safe

urlpatterns = [
    path("safe/", safe),
    path("bell/", bell),
    path("verify/", include("numberverify.urls")),
    path("admin/", admin.site.urls),
]
