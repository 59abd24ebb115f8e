import concurrent.futures
import http.client
import json
import signal
import socket
import ssl
import sys

# Threads that wait for a silent node would outlive Ctrl-C.
signal.signal(signal.SIGINT, signal.SIG_DFL)
KNOWN_HOSTS = "/var/lib/pcsd/known-hosts"
COMMAND = "/api/v1/resource-agent-get-agent-metadata/v1"


def ask(host, agent):
    """What pcsd of a known host answers. Its token goes into a header: every user can see arguments."""
    name = dict(zip(("standard", "provider", "type"), agent.split(":")))
    headers = {"Cookie": "token=" + host["token"], "Content-Type": "application/json"}
    # The certificate is pcsd's own: pcs does not verify it either.
    tls = ssl.create_default_context()
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE
    error = OSError("it has no address in " + KNOWN_HOSTS)
    for place in host["dest_list"]:
        pcsd = http.client.HTTPSConnection(place["addr"], place["port"], timeout=10, context=tls)
        try:
            pcsd.connect()
            # It is there, and may be busy.
            pcsd.sock.settimeout(60)
            pcsd.request("POST", COMMAND, json.dumps({"agent_name": name}), headers)
            answer = pcsd.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as failed:
            error = failed
        finally:
            pcsd.close()
    raise error


def problem(known, node, agent):
    """Why it cannot be said that the node has the agent; None when it has it."""
    cannot = f"cannot ask {node} whether it has {agent}:"
    if node not in known:
        return f"{cannot} this host has no token for it: run 'pcs host auth {node}' first"
    try:
        status, body = ask(known[node], agent)
    except socket.timeout as failed:
        return f"{cannot} {failed}: bring it up with its pcsd, or, if it is only busy, run this again later"
    except (OSError, http.client.HTTPException) as failed:
        return f"{cannot} {failed}: bring it up with its pcsd, or take it out of the cluster and the scenario"
    if status == 401:
        return f"{cannot} it refuses this host's token: run 'pcs host auth {node}' first"
    try:
        answer = json.loads(body)
        if status == 200 and answer["status"] == "success":
            return None
        reports = [report["message"] for report in answer["report_list"]]
        if not any(report["code"] == "UNABLE_TO_GET_AGENT_METADATA" for report in reports):
            return f"{cannot} {'; '.join(report['message'] for report in reports) or answer['status']}"
    except (ValueError, KeyError, TypeError):
        return f"{cannot} its pcsd answers with HTTP status {status}: is its pcs as new as the one here?"
    packages = {"inuvika": "inuvika-ha", "pacemaker": "pacemaker's resource agents"}
    package = packages.get(agent.split(":")[1], "resource-agents")
    return f"install {package} on {node} first: it lacks the agent {agent}, or one that can print its meta-data"


def problems(known, node, agents):
    """What is wrong with each of the agents; a node that cannot be asked is not asked again."""
    found = {}
    for agent in agents:
        found[agent] = problem(known, node, agent)
        if found[agent]:
            break
    return found


def first_problem(needs):
    try:
        with open(KNOWN_HOSTS, encoding="utf-8") as file:
            known = json.load(file)["known_hosts"]
        agents = {node: [need[0] for need in needs if node in need[1:]] for need in needs for node in need[1:]}
        with concurrent.futures.ThreadPoolExecutor(len(agents) or 1) as at_once:
            found = {node: at_once.submit(problems, known, node, agents[node]) for node in agents}
        wrong = (found[node].result().get(need[0]) for need in needs for node in need[1:])
        return next(filter(None, wrong), None)
    except (OSError, ValueError, KeyError, TypeError) as failed:
        return f"cannot read {KNOWN_HOSTS}: {failed}: run 'pcs host auth' for every node first"


print(" ".join((first_problem([need.split() for need in sys.argv[1:]]) or "").split()))
