//go:build unix

package pgtest

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// keeper is the program that stands between this process and a cluster. It does
// what it reads, one command a line, and answers each by "ok" or "failed". When
// there is nothing more to read, since this process let go of the pipe or is no
// more, it ends the cluster and removes the folder. So nothing can be left behind,
// be it by os.Exit, by a panic or by a kill.
//
// The arguments are the folder of PostgreSQL's programs, the cluster's own, and whether it
// waits for the disk.
const keeper = `
bin=$1 dir=$2 fsync=$3
control() { "$bin/pg_ctl" -D "$dir/data" -w -t 60 "$@" >>"$dir/log" 2>&1 </dev/null; }
make() {
	rm -rf "$dir/data"
	"$bin/initdb" -D "$dir/data" -N -U payhost -A trust -E UTF8 "$@" >>"$dir/log" 2>&1 </dev/null
}
while read -r command how; do
	case $command in
	init) make --locale-provider=icu --icu-locale=en-US --locale=C || make --locale=C ;;
	start) control -l "$dir/log" -o "-c listen_addresses='' -c unix_socket_directories='$dir' -c max_connections=200 -c fsync=$fsync" start ;;
	stop) control -m "$how" stop ;;
	*) false ;;
	esac && echo ok || echo failed
done
test -e "$dir/data/postmaster.pid" && control -m immediate stop
rm -rf "$dir"
`

// cluster is a PostgreSQL of this process.
type cluster struct {
	dir      string
	keeper   *exec.Cmd
	commands *os.File
	replies  *os.File
}

// startCluster makes a cluster and starts it. The error is errNone if there is no
// PostgreSQL to start.
func startCluster() (*cluster, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	c := &cluster{}
	if err := c.open(bin); err != nil {
		return nil, fmt.Errorf("start a PostgreSQL: %w", errors.Join(err, os.RemoveAll(c.dir)))
	}
	for _, command := range []string{"init", "start"} {
		if err := c.ask(command); err != nil {
			return nil, errors.Join(fmt.Errorf("start a PostgreSQL: %s: %w", command, err), c.close())
		}
	}
	return c, nil
}

// programs returns the folder of the newest PostgreSQL that is installed.
func programs() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	best, newest := "", 0
	for _, initdb := range found {
		bin := filepath.Dir(initdb)
		if version, err := strconv.Atoi(filepath.Base(filepath.Dir(bin))); err == nil && version > newest {
			best, newest = bin, version
		}
	}
	if best != "" {
		return best, nil
	}
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		return "", errNone
	}
	if initdb, err = filepath.EvalSymlinks(initdb); err != nil {
		return "", errNone
	}
	return filepath.Dir(initdb), nil
}

// open makes the folder and starts the keeper of it.
func (c *cluster) open(bin string) error {
	owner, err := unprivileged()
	if err != nil {
		return err
	}
	if c.dir, err = folder(owner); err != nil {
		return err
	}
	read, commands, err := os.Pipe()
	if err != nil {
		return err
	}
	defer read.Close()
	replies, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer write.Close()
	c.commands, c.replies = commands, replies
	c.keeper = exec.CommandContext(context.Background(), "/bin/sh", "-c", keeper, "pgtest", bin, c.dir, fsync())
	c.keeper.Dir = c.dir
	// Nothing of this process's settings: PGDATA or PGPORT would lead astray.
	c.keeper.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	c.keeper.Stdin, c.keeper.Stdout = read, write
	// A session of its own, since an interrupt from the terminal goes to all of a group.
	c.keeper.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: owner}
	return c.keeper.Start()
}

// fsync is off for tests: what they kill is a process, of which the system keeps what it
// wrote. A benchmark pays for the disk.
func fsync() string {
	if bench := flag.Lookup("test.bench"); bench != nil && bench.Value.String() != "" {
		return "on"
	}
	return "off"
}

// unprivileged returns who the server is to run as: PostgreSQL refuses to be root.
// It is nil for whoever runs the test.
func unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if uidErr == nil && gidErr == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("there is neither a user postgres nor nobody, and root may not run PostgreSQL")
}

// longestDir leaves room for the socket's name: its path has 107 bytes at most.
const longestDir = 85

func folder(owner *syscall.Credential) (string, error) {
	parent := os.TempDir()
	if len(parent) > longestDir-20 {
		parent = "/tmp"
	}
	dir, err := os.MkdirTemp(parent, "payhost-pg-")
	if err == nil && owner != nil {
		err = os.Chown(dir, int(owner.Uid), int(owner.Gid))
	}
	return dir, err
}

// url returns the URL of the cluster's own database.
func (c *cluster) url() string {
	u := url.URL{
		Scheme: "postgres", User: url.User("payhost"), Path: "/postgres",
		RawQuery: url.Values{"host": {c.dir}, "port": {"5432"}, "sslmode": {"disable"}}.Encode(),
	}
	return u.String()
}

// ask has the keeper do something and waits for it.
func (c *cluster) ask(command string) error {
	if _, err := fmt.Fprintln(c.commands, command); err != nil {
		return err
	}
	if err := c.replies.SetReadDeadline(time.Now().Add(2 * patience)); err != nil {
		return err
	}
	reply, err := bufio.NewReader(c.replies).ReadString('\n')
	if err == nil && reply != "ok\n" {
		err = errors.New(strings.TrimSpace(reply))
	}
	if err != nil {
		return fmt.Errorf("%w; its log ends:\n%s", err, c.logEnd())
	}
	return nil
}

func (c *cluster) logEnd() string {
	log, _ := os.ReadFile(filepath.Join(c.dir, "log"))
	return string(log[max(0, len(log)-2000):])
}

// close ends the cluster and waits until it is gone.
func (c *cluster) close() error {
	return errors.Join(c.commands.Close(), c.keeper.Wait(), c.replies.Close())
}

// copiesFiles reports whether the server can be asked to copy a database by its files:
// before PostgreSQL 15 it knows no other way, and no word for this one.
func (c *cluster) copiesFiles() bool {
	text, err := os.ReadFile(filepath.Join(c.dir, "data", "PG_VERSION"))
	if err != nil {
		return false
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	return err == nil && major >= 15
}
