    # crmsh makes XML of it in an empty configuration. It is forced, as that has no fencing before there are resources.
    cibadmin --empty >"$work/wanted.xml"
    configuration >"$work/wanted.crm"
    CIB_file="$work/wanted.xml" crm -F configure load update "$work/wanted.crm" >"$work/crm.log" 2>&1 ||
        die "crm refuses the configuration: $(grep -m 1 ERROR "$work/crm.log" || tail -n 1 "$work/crm.log")"
