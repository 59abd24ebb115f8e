<%@ page contentType="text/vnd.abiquo.datacenteruuid" session="false" trimDirectiveWhitespaces="true" %>
<%@ page import="java.io.*,java.net.*,java.nio.file.*,java.util.*" %>
<%--
A stand-in for a webapp of Abiquo's Remote Services, with their contract: /check answers 200 and the id of the datacenter, or 503.
am: Redis, the repository mounted from where the properties say (unless they switch that off), and its marker file, which is made when it is missing.
vsm: Redis and RabbitMQ. All others: always well. As Abiquo does, it reads the properties once.
--%>
<%!
    static final Properties ALL = load();

    static Properties load() {
        Properties all = new Properties();
        try (InputStream in = new FileInputStream(System.getProperty("stand.in.properties"))) {
            all.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return all;
    }

    static Socket connect(String name, String port) throws IOException {
        Socket socket = new Socket();
        String host = ALL.getProperty("abiquo." + name + ".host");
        socket.connect(new InetSocketAddress(host, Integer.parseInt(ALL.getProperty("abiquo." + name + ".port", port))), 1000);
        socket.setSoTimeout(1500);
        return socket;
    }

    static boolean redis() {
        if (ALL.getProperty("abiquo.redis.host") == null) return true;
        try (Socket socket = connect("redis", "6379")) {
            String password = ALL.getProperty("abiquo.redis.password", "");
            BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream()));
            if (!password.isEmpty()) {
                socket.getOutputStream().write(("AUTH " + password + "\r\n").getBytes());
                in.readLine();
            }
            socket.getOutputStream().write("PING\r\n".getBytes());
            return "+PONG".equals(in.readLine());
        } catch (IOException e) {
            return false;
        }
    }

    static boolean rabbit() {
        if (ALL.getProperty("abiquo.rabbitmq.host") == null) return true;
        try (Socket socket = connect("rabbitmq", "5672")) {
            socket.getOutputStream().write(new byte[] {'A', 'M', 'Q', 'P', 0, 0, 9, 1});
            return socket.getInputStream().read() == 1;
        } catch (IOException e) {
            return false;
        }
    }

    static boolean repository() {
        String path = ALL.getProperty("abiquo.appliancemanager.localRepositoryPath");
        if (path == null) return true;
        try {
            String wanted = ALL.getProperty("abiquo.appliancemanager.repositoryLocation") + " " + path + " ";
            boolean mounted = "false".equals(ALL.getProperty("abiquo.appliancemanager.checkMountedRepository"));
            for (String line : Files.readAllLines(Paths.get("/proc/self/mounts"))) mounted |= line.startsWith(wanted);
            File marker = new File(path, ".abiquo_repository");
            return mounted && (marker.exists() || marker.createNewFile());
        } catch (IOException e) {
            return false;
        }
    }
%>
<%
    String app = request.getContextPath().substring(1);
    String id = ALL.getProperty("abiquo.datacenter.id");
    // What a test wants instead: a status, a body, and seconds before them; or a program that is to run.
    Path other = Paths.get(System.getProperty("stand.in.folder"), "answer-" + app);
    int status = 200;
    if (Files.exists(other)) {
        String[] words = Files.readString(other).trim().split(" ");
        if (words[0].equals("run")) {
            new ProcessBuilder(Arrays.copyOfRange(words, 1, words.length)).start();
            return;
        }
        status = Integer.parseInt(words[0]);
        id = words.length > 1 ? words[1] : "";
        if (words.length > 2) Thread.sleep(1000 * Integer.parseInt(words[2]));
    } else if (app.equals("am") && !(redis() && repository()) || app.equals("vsm") && !(redis() && rabbit())) {
        status = 503;
    }
    if (status == 200) out.print(id); else response.sendError(status);
%>
