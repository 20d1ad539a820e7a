from django.urls import path

from config.urls import urlpatterns as of_the_site

from .peer import plain, tuned

urlpatterns = [
    *of_the_site,
    path("plain/", plain.urls),
    path("tuned/", tuned.urls),
]
