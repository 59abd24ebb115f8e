//! A link under /etc/cron.d that makes a cron job run on this node.
