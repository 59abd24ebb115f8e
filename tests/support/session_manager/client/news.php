<?php
// Stand-in for the Session Manager, for tests only: the news, which come from the database.
require __DIR__ . '/../common.php';

$settings = settings();
$news = '';
foreach (database($settings)->query('SELECT title, content FROM ' . table($settings, 'news') . ' ORDER BY id') as $row) {
    $news .= sprintf('<new title="%s">%s</new>', escape($row['title']), escape($row['content']));
}
answer('<news>' . $news . '</news>');
