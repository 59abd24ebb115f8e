<?php
// Stand-in for the Session Manager, for tests only: what every page begins with.

const BROKEN = '/etc/ovd/broken';
const SETTINGS = '/var/spool/ovd/session-manager/config';
const READ_LIMIT = 5; // seconds that a query may take

// As documented: every request has a session, and one without a cookie makes a new file.
session_start();
header('X-Stand-In: inuvika-ha tests');
header('X-Node: ' . gethostname());

// As documented: trouble is told with status 200.
set_exception_handler(fn (Throwable $cause) => fail(0, $cause->getMessage()));
if (file_exists(BROKEN)) {
    fail(0, 'Internal error');
}

function answer(string $xml): never
{
    header('Content-Type: text/xml; charset=utf-8');
    echo '<?xml version="1.0" encoding="utf-8"?>', "\n", $xml, "\n";
    exit;
}

function fail(int $id, string $message): never
{
    answer(sprintf('<error id="%d" message="%s"/>', $id, escape($message)));
}

function escape(string $text): string
{
    return htmlspecialchars($text, ENT_XML1 | ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
}

/** The settings; an error when they cannot be used. */
function settings(): array
{
    $text = @file_get_contents(SETTINGS);
    if ($text === false) {
        throw new RuntimeException('the settings cannot be read');
    }
    $settings = json_decode($text, true);
    if (!isset($settings['general']['sql']['host'])) {
        throw new RuntimeException('the settings are damaged');
    }
    return $settings;
}

/** A connection to the database that the settings name. */
function database(array $settings): mysqli
{
    $sql = $settings['general']['sql'];
    $database = mysqli_init();
    $database->options(MYSQLI_OPT_READ_TIMEOUT, READ_LIMIT);
    $database->real_connect($sql['host'], $sql['user'], $sql['password'], $sql['database']);
    $database->set_charset('utf8mb4');
    return $database;
}

/** The full name of a table. */
function table(array $settings, string $name): string
{
    return '`' . preg_replace('/\W/', '', $settings['general']['sql']['prefix'] . $name) . '`';
}
