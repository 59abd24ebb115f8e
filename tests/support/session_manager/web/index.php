<?php
// Stand-in for the Session Manager, for tests only: the page where users log in.
require '/usr/share/ovd/session-manager/common.php';
?>
<!DOCTYPE html>
<html><head><title>OVD (stand-in)</title></head><body><p>A stand-in for tests: nobody can log in.</p></body></html>
