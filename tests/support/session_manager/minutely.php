<?php
// Stand-in for the Session Manager, for tests only: notes for all nodes that this one ran its cron table.
file_put_contents('/srv/shared/cron-runs', gethostname() . ' ' . time() . "\n", FILE_APPEND | LOCK_EX);
