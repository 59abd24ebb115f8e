    configuration >"$work/wanted.xml"
