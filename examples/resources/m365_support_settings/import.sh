# The tenant's ID
terraform import m365_support_settings.this 44444444-4444-4444-8444-444444444444
