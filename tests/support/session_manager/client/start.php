<?php
// Stand-in for the Session Manager, for tests only: begins a session.
require __DIR__ . '/../common.php';

try {
    $settings = settings();
    if (!empty($settings['general']['system_in_maintenance'])) {
        answer('<response code="in_maintenance"/>');
    }
    $id = bin2hex(random_bytes(16));
    $database = database($settings);
    $insert = $database->prepare('INSERT INTO ' . table($settings, 'sessions') . ' (id, node) VALUES (?, ?)');
    $insert->execute([$id, gethostname()]);
} catch (Exception) {
    answer('<response code="internal_error"/>');
}
answer(sprintf('<session id="%s" mode="desktop"/>', $id));
