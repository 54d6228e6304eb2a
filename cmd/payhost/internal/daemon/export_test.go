package daemon

import "context"

// Mend tries once what a daemon that runs tries every now and then.
func (d *Daemon) Mend(ctx context.Context) { d.mendOnce(ctx) }
