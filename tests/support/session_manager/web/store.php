<?php
// Stand-in for the Session Manager, for tests only: keeps a number and some text in the visitor's session, as pages do, and
// acknowledges them only when PHP has written the file: with its name, the number and a hash of the file.
require '/usr/share/ovd/session-manager/common.php';

$number = (int) ($_GET['number'] ?? 0);
$_SESSION['number'] = $number;
$_SESSION['text'] = bin2hex(random_bytes(random_int(100, 2000)));
session_write_close();
$file = (session_save_path() ?: '/var/lib/php/sessions') . '/sess_' . session_id();
$written = (string) file_get_contents($file);
header('Content-Type: text/plain');
if (!str_contains($written, "number|i:$number;")) {
    http_response_code(500);
    exit("not stored\n");
}
echo 'stored ', basename($file), ' ', $number, ' ', hash('sha256', $written), "\n";
