# `terraform test` with `command = apply` takes the default of an ephemeral variable for a change between plan and apply
# (seen with 1.11.4 and 1.15.5), unless a value is given. Commands other than `test` need none.
client_secrets = {}
