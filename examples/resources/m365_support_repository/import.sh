# The repository's ID
terraform import m365_support_repository.this contoso.service-now.com
