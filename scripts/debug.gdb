# gdb -x scripts/debug.gdb --args target/debug/terraform-provider-servicenow --debug
# Signals that the provider handles itself: a closed connection, and Ctrl-C.
handle SIGPIPE nostop noprint pass
handle SIGINT nostop noprint pass
set breakpoint pending on
