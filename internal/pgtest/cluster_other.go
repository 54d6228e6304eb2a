//go:build !unix

package pgtest

// cluster needs the processes and pipes of a Unix; elsewhere there is only
// PAYHOST_TEST_POSTGRES.
type cluster struct{}

func startCluster() (*cluster, error) { return nil, errNone }

func (*cluster) url() string      { return "" }
func (*cluster) ask(string) error { return errNone }
func (*cluster) close() error     { return nil }

func (*cluster) copiesFiles() bool { return false }
