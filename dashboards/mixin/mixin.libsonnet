// racoon-exporter as a mixin: the rendered dashboards and the tested rules, with patience, severity and thresholds to be set
// in _config. Only what is set there is changed; the expressions stay those that promtool has tested.
//
//   local racoon = import 'racoon-exporter/dashboards/mixin/mixin.libsonnet';
//   racoon { _config+:: { thresholds+: { RacoonPeerFlapping: 5.5 }, 'for'+: { RacoonPhase2Down: '30m' } } }

local override(rule, settings, key) =
  local field = settings[key];
  if std.objectHas(field, rule.alert) then field[rule.alert] else null;

// The threshold of an alert is the number at the end of its expression, after `> `.
local withThreshold(expr, threshold) =
  local stripped = std.rstripChars(expr, ' \n');
  local parts = std.split(stripped, ' ');
  assert parts[std.length(parts) - 2] == '>' : 'the expression does not end with a threshold: ' + expr;
  std.join(' ', parts[:std.length(parts) - 1] + [std.toString(threshold)]) + '\n';

local adjusted(rule, config) =
  local patience = override(rule, config, 'for');
  local severity = override(rule, config, 'severity');
  local threshold = override(rule, config, 'thresholds');
  rule
  + (if patience == null then {} else { 'for': patience })
  + (if severity == null then {} else { labels+: { severity: severity } })
  + (if threshold == null then {} else { expr: withThreshold(rule.expr, threshold) })
  + (if config.runbookURL == null then {} else { annotations+: { runbook_url: config.runbookURL + rule.alert + '.md' } });

local rules = (import 'rules.json').groups;

// How long the log may be silent stands twice in its expression, as an offset.
local silent(rule, config) =
  if rule.alert != 'RacoonLogSilent' then rule
  else rule { expr: std.strReplace(super.expr, 'offset 8h', 'offset ' + config.silentAfter) };

{
  _config:: {
    // Alert name to threshold, `for` and severity. What is not named keeps its value.
    thresholds: {
      RacoonPeerFlapping: 2.5,
      RacoonDaemonRestarting: 2.5,
      RacoonKernelErrors: 2.5,
      RacoonXAuthGuessing: 10,
      RacoonUnknownMessages: 20,
      RacoonUnexpectedPeersFailing: 20,
      RacoonSourceLagging: 1048576,
    },
    'for': {},
    severity: {},
    // The longest phase 2 lifetime in use: within it a living peer makes racoon write.
    silentAfter: '8h',
    // Alerts to leave out, by name.
    without: [],
    // Where runbooks are, if not at each exporter (http://{{ $labels.instance }}/runbooks/…): 'https://example.org/runbooks/'.
    runbookURL: null,
  },

  local config = self._config,

  grafanaDashboards+:: {
    'racoon-fleet.json': import '../racoon-fleet.json',
    'racoon-peer.json': import '../racoon-peer.json',
    'racoon-health.json': import '../racoon-health.json',
  },

  prometheusAlerts+:: {
    groups+: [
      {
        name: group.name,
        rules: [
          silent(adjusted(rule, config), config)
          for rule in group.rules
          if std.objectHas(rule, 'alert') && !std.member(config.without, rule.alert)
        ],
      }
      for group in rules
    ],
  },

  prometheusRules+:: {
    groups+: [
      {
        name: group.name + '-records',
        rules: [rule for rule in group.rules if std.objectHas(rule, 'record')],
      }
      for group in rules
      if std.length([rule for rule in group.rules if std.objectHas(rule, 'record')]) > 0
    ],
  },
}
