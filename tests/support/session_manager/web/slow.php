<?php
// Stand-in for the Session Manager, for tests only: a download that takes as many seconds as asked, a byte every 100 ms.
require '/usr/share/ovd/session-manager/common.php';

// Other requests with the same cookie need not wait.
session_write_close();
while (ob_get_level() > 0) {
    ob_end_clean();
}
set_time_limit(0);
header('Content-Type: application/octet-stream');
for ($sent = 0; $sent < 10 * (int) ($_GET['seconds'] ?? 1); $sent++) {
    echo '.';
    flush();
    usleep(100_000);
}
