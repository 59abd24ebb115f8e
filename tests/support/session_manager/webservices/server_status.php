<?php
// Stand-in for the Session Manager, for tests only: a server reports its status. An empty report reaches no database.
require __DIR__ . '/../common.php';

$settings = settings();
if (!preg_match('/^\s*(<\?xml[^>]*\?>)?\s*<server\s[^>]*status="(\w+)"/', file_get_contents('php://input'), $found)) {
    fail(1, 'Server does not send a valid XML');
}
$database = database($settings);
$update = $database->prepare('UPDATE ' . table($settings, 'servers') . ' SET status = ? WHERE fqdn = ?');
$update->execute([$found[2], $_SERVER['REMOTE_ADDR']]);
answer(sprintf('<server name="%s" status="%s"/>', escape($_SERVER['REMOTE_ADDR']), $found[2]));
