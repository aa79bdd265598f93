#!/usr/bin/env bash
# Okta's own SDK for Python, generated from Okta's OpenAPI description, reads an application of the catalogue (the AWS
# one, as Okta answers with it) without its `name`, which is what says that it is the AWS one, and without `settings.app`,
# which says as which SAML provider it signs people in: the description of SAML applications has neither. An application
# whose signOnMode is null is read as one of Active Directory, the first that the description's discriminator names.
# Seen with okta 3.4.6:
#   SamlApplication             name: None    settings: ['signOn']
#   signOnMode null             ActiveDirectoryApplication
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check okta==3.4.6
"$folder/venv/bin/python" - <<'PYTHON'
from okta.models import Application

answer = {
    "id": "0oa1gjh63g214q0Hq0g4",
    "name": "amazon_aws",
    "label": "AWS Account Federation",
    "status": "ACTIVE",
    "signOnMode": "SAML_2_0",
    "settings": {
        "app": {"identityProviderArn": "arn:aws:iam::111122223333:saml-provider/okta"},
        "signOn": {"ssoAcsUrl": "https://signin.aws.amazon.com/saml"},
    },
}
read = Application.from_dict(answer)
kept = read.to_dict()
print(f"{type(read).__name__:28}name: {kept.get('name')}    settings: {list(kept['settings'])}")
assert "name" not in kept and list(kept["settings"]) == ["signOn"], "the behaviour has changed"
nobody = Application.from_dict({"id": "0oa2", "name": "portal", "label": "Portal", "signOnMode": None})
print(f"{'signOnMode null':28}{type(nobody).__name__}")
assert type(nobody).__name__ == "ActiveDirectoryApplication", "the behaviour has changed"
PYTHON
