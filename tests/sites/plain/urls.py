from django.contrib import admin
from django.urls import include, path

from .views import Diary, bell, letter, safe

urlpatterns = [
    path("safe/", safe),
    path("bell/", bell),
    path("diary/", Diary.as_view()),
    path("letter/", letter),
    path("verify/", include("numberverify.urls")),
    path("admin/", admin.site.urls),
]
