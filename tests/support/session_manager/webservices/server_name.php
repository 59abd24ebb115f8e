<?php
// Stand-in for the Session Manager, for tests only: tells a server its name. As documented, it registers the caller.
require __DIR__ . '/../common.php';

$settings = settings();
$database = database($settings);
$insert = $database->prepare('INSERT IGNORE INTO ' . table($settings, 'servers') . ' (fqdn) VALUES (?)');
$insert->execute([$_SERVER['REMOTE_ADDR']]);
answer(sprintf('<server name="%s"/>', escape($_SERVER['REMOTE_ADDR'])));
