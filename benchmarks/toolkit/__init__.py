"""A plain Django project with django-oauth-toolkit as it comes, to be measured beside ours."""
