//go:build tools

// Package linter pins grafana's dashboard-linter: its repository has no releases that the module proxy lists.
package linter

import _ "github.com/grafana/dashboard-linter"
