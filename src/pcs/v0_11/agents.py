# Asks pcsd of every node for the agents that will run there: NODE AGENT... [, NODE AGENT...]
# The tokens that "pcs host auth" left on this host are used; nothing is changed anywhere.
import json, ssl, sys, urllib.error, urllib.request

TIMEOUT = 15
try:
    with open("/var/lib/pcsd/known-hosts") as hosts:
        known = json.load(hosts)["known_hosts"]
except (OSError, ValueError, KeyError) as error:
    sys.exit("    read the nodes that pcs knows: %s: run pcs host auth" % error)
# pcsd has a certificate of its own making; pcs does not check it either.
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
opener = urllib.request.build_opener(
    urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
)


def installed(node, agent):
    place = known[node]["dest_list"][0]
    address = "[%s]" % place["addr"] if ":" in place["addr"] else place["addr"]
    standard, provider, kind = agent.split(":")
    name = {"standard": standard, "provider": provider, "type": kind}
    request = urllib.request.Request(
        "https://%s:%s/api/v1/resource-agent-get-agent-metadata/v1" % (address, place["port"]),
        json.dumps({"agent_name": name}).encode(),
        {"Content-Type": "application/json", "Cookie": "token=" + known[node]["token"]},
    )
    with opener.open(request, timeout=TIMEOUT) as answer:
        return json.load(answer)["status"] == "success"


wrong = 0
for words in " ".join(sys.argv[1:]).split(" , "):
    node, *agents = words.split()
    for agent in agents:
        trouble = ""
        try:
            if not installed(node, agent):
                trouble = "%s is not installed on %s" % (agent, node)
        except KeyError:
            trouble = "%s: this host has no access to its pcsd: pcs host auth %s" % (node, node)
        except (OSError, ValueError) as error:
            trouble = "%s cannot be asked whether it has %s: %s" % (node, agent, error)
        if trouble:
            wrong = 1
            print("    " + trouble, file=sys.stderr)
            break
sys.exit(wrong)
