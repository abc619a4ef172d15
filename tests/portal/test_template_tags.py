"""The small pieces that pages are made of, as the pages show them."""

import pytest
from django import forms

from portal.templatetags.ui import error_count, labelled, sparkline
from tests.factories import PASSWORD

ACCOUNT_PAGES = ["/account/password/change/", "/account/email/", "/account/2fa/", "/account/2fa/webauthn/"]


class TwoFields(forms.Form):
    name = forms.CharField(widget=forms.TextInput(attrs={"placeholder": "Name"}))
    age = forms.IntegerField()


def test_field_says_its_label_once():
    assert "placeholder" in str(TwoFields()["name"])
    assert "placeholder" not in labelled(TwoFields()["name"])


def test_each_error_of_each_field_is_counted():
    form = TwoFields({})
    form.add_error("name", "Another one")
    assert error_count(form) == 3
    assert error_count(TwoFields({"name": "Ann", "age": "5"})) == 0


def test_tokens_are_summed_and_drawn_where_there_are_any():
    shown = sparkline([0, 10, 990])
    assert '<span class="number">1,000</span>' in shown
    assert shown.count("<rect") == 2
    assert 'y="0.0" height="24.0"' in shown
    assert "<rect" not in sparkline([0, 0])


@pytest.mark.django_db
@pytest.mark.parametrize("path", ACCOUNT_PAGES)
def test_pages_of_an_account_mark_their_place_and_repeat_no_label(client, alice, path):
    alice.set_password(PASSWORD)
    alice.save()
    client.force_login(alice)
    page = client.get(path).text
    assert page.count("aria-current=") == 2  # in the rail and in the narrow menu
    assert "placeholder=" not in page
