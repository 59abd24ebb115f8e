}
main "$@"; exit
