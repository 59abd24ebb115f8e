<?php
// Stand-in for the Session Manager, for tests only: POST {"args": [...]} to a function; two that only read are there.
require __DIR__ . '/../common.php';

function reply(mixed $value): never
{
    header('Content-Type: application/json');
    exit(json_encode($value));
}

function refuse(string $code, string $message): never
{
    reply(['error' => ['code' => $code, 'message' => $message]]);
}

set_exception_handler(fn (Throwable $cause) => refuse('internal_error', $cause->getMessage()));
if (($_SERVER['PHP_AUTH_USER'] ?? '') !== 'admin' && empty($_SESSION['admin'])) {
    refuse('not_authorized', 'log in as an administrator');
}
$_SESSION['admin'] = true;
$call = json_decode(file_get_contents('php://input'), true);
if (!is_array($call['args'] ?? null)) {
    refuse('bad_request', 'no arguments');
}
$settings = settings();
switch ($_GET['function'] ?? '') {
    case 'settings_get':
        unset($settings['general']['sql']['password']);
        reply($settings);
    case 'servers_list':
        $found = database($settings)->query('SELECT fqdn, status FROM ' . table($settings, 'servers') . ' ORDER BY fqdn');
        reply($found->fetch_all(MYSQLI_ASSOC));
    default:
        refuse('unknown_function', 'there is no such function');
}
