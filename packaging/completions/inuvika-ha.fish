# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_inuvika_ha_global_optspecs
    string join \n h/help V/version
end

function __fish_inuvika_ha_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_inuvika_ha_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_inuvika_ha_using_subcommand
    set -l cmd (__fish_inuvika_ha_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c inuvika-ha -n "__fish_inuvika_ha_needs_command" -s h -l help -d 'Print help'
complete -c inuvika-ha -n "__fish_inuvika_ha_needs_command" -s V -l version -d 'Print version'
complete -c inuvika-ha -n "__fish_inuvika_ha_needs_command" -f -a "agents" -d 'List the agents of this program'
complete -c inuvika-ha -n "__fish_inuvika_ha_needs_command" -f -a "alert" -d 'Check, try and flush inuvika-alert, which tells people what happens in the cluster'
complete -c inuvika-ha -n "__fish_inuvika_ha_needs_command" -f -a "diagram" -d 'Draw the cluster of a scenario, as SVG'
complete -c inuvika-ha -n "__fish_inuvika_ha_needs_command" -f -a "diff" -d 'Compare the cluster\'s configuration with a scenario'
complete -c inuvika-ha -n "__fish_inuvika_ha_needs_command" -f -a "import" -d 'Make a scenario of the files of an older set-up'
complete -c inuvika-ha -n "__fish_inuvika_ha_needs_command" -f -a "init" -d 'Print a commented scenario file to start from'
complete -c inuvika-ha -n "__fish_inuvika_ha_needs_command" -f -a "lint" -d 'Name what is wrong with a cluster although pcs and crm_verify take it'
complete -c inuvika-ha -n "__fish_inuvika_ha_needs_command" -f -a "lock-is-held" -d 'Say whether somebody holds a lock on a file'
complete -c inuvika-ha -n "__fish_inuvika_ha_needs_command" -f -a "lsb" -d 'Do a verb of the script /etc/init.d/NAME, with the parameters of /etc/default/NAME or /etc/sysconfig/NAME'
complete -c inuvika-ha -n "__fish_inuvika_ha_needs_command" -f -a "lvs" -d 'Show, try, run and maintain directors of LVS'
complete -c inuvika-ha -n "__fish_inuvika_ha_needs_command" -f -a "ofs-config" -d 'Show what the configuration of CTDB and Samba lacks on this file server, and write it with --write'
complete -c inuvika-ha -n "__fish_inuvika_ha_needs_command" -f -a "pcs" -d 'Print the script of pcs commands that configures the cluster of a scenario'
complete -c inuvika-ha -n "__fish_inuvika_ha_needs_command" -f -a "replica" -d 'Show and settle which data ovd-lsyncd has on this node'
complete -c inuvika-ha -n "__fish_inuvika_ha_needs_command" -f -a "simulate" -d 'Say what becomes of the services of a scenario when something fails'
complete -c inuvika-ha -n "__fish_inuvika_ha_needs_command" -f -a "agent" -d 'Run an action of an agent by hand: agent NAME ACTION [OPTIONS]'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand agents" -l links -d 'Print the commands that install them on this host, as links to this program'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand agents" -s h -l help -d 'Print help'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand alert; and not __fish_seen_subcommand_from check test flush" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand alert; and not __fish_seen_subcommand_from check test flush" -f -a "check" -d 'Read the configuration and say what waits to be sent'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand alert; and not __fish_seen_subcommand_from check test flush" -f -a "test" -d 'Send a test message now'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand alert; and not __fish_seen_subcommand_from check test flush" -f -a "flush" -d 'Send what waits'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand alert; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand alert; and __fish_seen_subcommand_from test" -s h -l help -d 'Print help'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand alert; and __fish_seen_subcommand_from flush" -l due -d 'Only what is due: a server that did not answer is left alone for a while'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand alert; and __fish_seen_subcommand_from flush" -s h -l help -d 'Print help'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand diagram" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand diff" -l cib -d 'A configuration in a file (cibadmin --query prints one) in place of the running cluster\'s' -r -F
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand diff" -l json -d 'Print data instead of lines'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand import" -l address -d 'The address of a node, router or service that the files only name; of a node, one for each link' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand import" -l hosts -d 'A file like /etc/hosts with such addresses' -r -F
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand import" -l cluster -d 'The cluster\'s name, where the files have none' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand import" -s o -l output -d 'Write to this file instead, which must not exist' -r -F
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand import" -l accept-split-brain -d 'Go without fencing: when nodes lose sight of each other, each may run everything'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand init" -s o -l output -d 'Write to this file instead, which must not exist' -r -F
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand init" -l guide -d 'The four nodes of the OVD failover guide; they tolerate no more losses than the three of the default'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lint" -l cib -d 'A CIB: a file, or "live" for that of the cluster this node is in' -r -F
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lint" -l explain -d 'Print the page of a code, such as HA005' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lint" -l json -d 'Print the findings as JSON'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lint" -l list -d 'List all codes'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lint" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lock-is-held" -s h -l help -d 'Print help'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lsb" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and not __fish_seen_subcommand_from show check run drain enable doctor" -s h -l help -d 'Print help'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and not __fish_seen_subcommand_from show check run drain enable doctor" -f -a "show" -d 'Show services and real servers: wanted and found weights, health, connections, the last answer'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and not __fish_seen_subcommand_from show check run drain enable doctor" -f -a "check" -d 'Ask all real servers once and print their answers: no root needed, and nothing is changed'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and not __fish_seen_subcommand_from show check run drain enable doctor" -f -a "run" -d 'Do what the agent\'s start and monitor do, again and again, until SIGTERM or SIGINT'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and not __fish_seen_subcommand_from show check run drain enable doctor" -f -a "drain" -d 'Give a real server no new connections, on all directors of the cluster'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and not __fish_seen_subcommand_from show check run drain enable doctor" -f -a "enable" -d 'Give a drained real server new connections again'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and not __fish_seen_subcommand_from show check run drain enable doctor" -f -a "doctor" -d 'Explain the way of a client\'s packets and of the answers, and what is missing on this director'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and __fish_seen_subcommand_from show" -l instance -d 'Only this resource' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and __fish_seen_subcommand_from show" -l json -d 'Print all of it as JSON'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and __fish_seen_subcommand_from check" -l config -d 'The TOML file with the services, as the parameter config' -r -F
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and __fish_seen_subcommand_from check" -l param -d 'A parameter of the agent lvs-director (may be repeated)' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and __fish_seen_subcommand_from check" -l instance -d 'Take the parameters of this resource\'s last start here' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and __fish_seen_subcommand_from run" -l config -d 'The TOML file with the services, as the parameter config' -r -F
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and __fish_seen_subcommand_from run" -l param -d 'A parameter of the agent lvs-director (may be repeated)' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and __fish_seen_subcommand_from run" -l instance -d 'The name of the director; without parameters, those of its last start on this host are used' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and __fish_seen_subcommand_from run" -l interval -d 'From one round to the next; default: the interval of the configuration, else 10' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and __fish_seen_subcommand_from run" -l remove -d 'Remove the services in the end'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and __fish_seen_subcommand_from run" -l background -d 'In a session of its own: what the LSB script says'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and __fish_seen_subcommand_from drain" -l instance -d 'The resource; default: the only director that was started on this host' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and __fish_seen_subcommand_from drain" -l timeout -d 'How long to wait, at most' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and __fish_seen_subcommand_from drain" -l wait -d 'Wait until this host, as director, has none of its connections left: run it where the virtual address is'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and __fish_seen_subcommand_from drain" -s h -l help -d 'Print help'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and __fish_seen_subcommand_from enable" -l instance -d 'The resource; default: the only director that was started on this host' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and __fish_seen_subcommand_from enable" -s h -l help -d 'Print help'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and __fish_seen_subcommand_from doctor" -l from -d 'The client\'s address' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and __fish_seen_subcommand_from doctor" -l instance -d 'The resource; default: the only director that was started on this host' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand lvs; and __fish_seen_subcommand_from doctor" -s h -l help -d 'Print help'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand ofs-config" -l write -d 'Make the changes that are shown'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand ofs-config" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand pcs" -l pcs-version -d 'For this pcs: a version (0.10.18), or any of a series (0.10)' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand pcs" -l for -d 'For any pcs that this release came with: rhel7 to rhel10, ubuntu16.04 to ubuntu24.04, debian11 to debian13' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand pcs" -l dialect -d 'In this language: pcs, pcs-VERSION, or, for a cluster that runs already, crmsh or cib (XML)' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand pcs" -l part -d 'Only these parts: auth, cluster, properties, fencing, resources, constraints, alerts; the rest is left as it is. Or prepare, alone: another script, which makes each host ready to be a node, for a release (--for; else that of this machine)' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand pcs" -l prune -d 'Remove what the cluster has and the scenario does not have (any more), instead of naming it'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand pcs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and not __fish_seen_subcommand_from list accept report complete send receive" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and not __fish_seen_subcommand_from list accept report complete send receive" -f -a "list" -d 'List the data of this node and the files that were kept from being overwritten or deleted'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and not __fish_seen_subcommand_from list accept report complete send receive" -f -a "accept" -d 'Make the data of this node count, although the peer has newer ones (see \'inuvika-ha replica accept --help\')'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and not __fish_seen_subcommand_from list accept report complete send receive" -f -a "report" -d 'Answer the peer\'s question what this node has, as JSON (run by the peer over ssh)'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and not __fish_seen_subcommand_from list accept report complete send receive" -f -a "complete" -d 'Note that all data of an epoch have arrived here, and report (run by the active node over ssh)'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and not __fish_seen_subcommand_from list accept report complete send receive" -f -a "send" -d 'Run ssh, and have the other node refuse files that are older than its own (run by lsyncd\'s rsync instead of ssh)'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and not __fish_seen_subcommand_from list accept report complete send receive" -f -a "receive" -d 'Become rsync, unless this node has newer files (run by the active node over ssh, instead of rsync)'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and __fish_seen_subcommand_from list" -l instance -d 'Only this resource' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and __fish_seen_subcommand_from accept" -l instance -d 'The resource' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and __fish_seen_subcommand_from accept" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and __fish_seen_subcommand_from report" -l instance -d 'The resource' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and __fish_seen_subcommand_from report" -l folder -d 'A replicated folder, to tell the space that is free' -r -F
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and __fish_seen_subcommand_from report" -s h -l help -d 'Print help'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and __fish_seen_subcommand_from complete" -l instance -d 'The resource' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and __fish_seen_subcommand_from complete" -l folder -d 'A replicated folder, to tell the space that is free' -r -F
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and __fish_seen_subcommand_from complete" -l epoch -d 'The epoch' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and __fish_seen_subcommand_from complete" -l from -d 'The active node' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and __fish_seen_subcommand_from complete" -l scope -d 'What of it, as JSON: the folders and what is left out of them' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and __fish_seen_subcommand_from complete" -l limit -d 'Bytes that all backup folders may have together; the newest stays in any case' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and __fish_seen_subcommand_from complete" -l clean -d 'The active node has stopped, and nothing is missing'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and __fish_seen_subcommand_from complete" -s h -l help -d 'Print help'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and __fish_seen_subcommand_from send" -l instance -d 'The resource' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and __fish_seen_subcommand_from send" -l epoch -d 'The epoch of the files' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and __fish_seen_subcommand_from send" -l from -d 'The node that they come from' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and __fish_seen_subcommand_from send" -s h -l help -d 'Print help'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and __fish_seen_subcommand_from receive" -l instance -d 'The resource' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and __fish_seen_subcommand_from receive" -l epoch -d 'The epoch of the files' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and __fish_seen_subcommand_from receive" -l from -d 'The node that they come from' -r
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand replica; and __fish_seen_subcommand_from receive" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand simulate" -l steps -d 'Show what the cluster does, in order, below each event'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand simulate" -l json -d 'Print data instead of a table'
complete -c inuvika-ha -n "__fish_inuvika_ha_using_subcommand simulate" -s h -l help -d 'Print help (see more with \'--help\')'
