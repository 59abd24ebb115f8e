# From here on everything is done to a copy of the configuration; the cluster sees one change, at the end, or none.
if [ -n "$trial" ]; then
    CIB_file=$trial cibadmin --query >"$work/orig.xml"
else
    cibadmin --query >"$work/orig.xml" 2>/dev/null ||
        die "the cluster $cluster does not run on this node: pcs cluster start --all, then run this again"
fi
cp "$work/orig.xml" "$work/new.xml"
