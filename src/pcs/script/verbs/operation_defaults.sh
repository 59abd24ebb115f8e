
# operation_defaults NAME=VALUE...
operation_defaults() { settings /cib/configuration/op_defaults "$@" ||
    @OP_DEFAULTS@; }
