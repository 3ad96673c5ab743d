{{- /* Egress to name resolution, by the Service's port and by the port CoreDNS may listen on. */ -}}
{{- define "coxswain.toNames" -}}
- to: [{namespaceSelector: {}}]
  ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
    - {protocol: UDP, port: 1053}
    - {protocol: TCP, port: 1053}
{{- end }}

{{- define "coxswain.toApiServer" -}}
- ports:
    {{- range .Values.network.apiServer.ports }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
  {{- with .Values.network.apiServer.cidrs }}
  to:
    {{- range . }}
    - ipBlock: {cidr: {{ . }}}
    {{- end }}
  {{- end }}
{{- end }}

{{- define "coxswain.toDatabase" -}}
{{- if .Values.postgres.enabled -}}
- to:
    - podSelector:
        matchLabels: {{- include "coxswain.selector" (list . "postgres") | nindent 10 }}
  ports: [{protocol: TCP, port: 5432}]
{{- else -}}
- ports: [{protocol: TCP, port: {{ .Values.network.database.port }}}]
  {{- with .Values.network.database.peers }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}

{{- /* Egress to the outside, behind the gateways' own judgement of addresses. */ -}}
{{- define "coxswain.toWeb" -}}
{{- with .Values.network.web -}}
- to:
    {{- range $cidr, $except := .networks }}
    - ipBlock:
        cidr: {{ $cidr }}
        {{- with $except }}
        except: {{- toYaml . | nindent 10 }}
        {{- end }}
    {{- end }}
  ports:
    {{- range .ports }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- with .more }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Agents of every workspace, as peers. */ -}}
{{- define "coxswain.agentPeers" -}}
{{- range .Values.workspaces }}
- namespaceSelector:
    matchLabels: {kubernetes.io/metadata.name: {{ .name }}}
  podSelector:
    matchExpressions: [{key: coxswain.dev/agent, operator: Exists}]
{{- end }}
{{- end }}

{{- /* Ingress to a door. Call with (dict "root" $ "port" 8080 "more" peers). No peer at all means nobody. */ -}}
{{- define "coxswain.fromCallers" -}}
{{- if or .root.Values.workspaces .more }}
- from:
    {{- include "coxswain.agentPeers" .root | nindent 4 }}
    {{- with .more }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  ports: [{protocol: TCP, port: {{ .port }}}]
{{- end }}
{{- end }}

{{- /* Ingress to metrics. Call with (list $ ports...). */ -}}
{{- define "coxswain.fromMonitoring" -}}
{{- with (index . 0).Values.network.metricsFrom }}
- from: {{- toYaml . | nindent 4 }}
  ports:
    {{- range rest $ }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- end }}
{{- end }}

{{- /* Egress to the collector of traces, where there is one. */ -}}
{{- define "coxswain.toTraces" -}}
{{- if .Values.traces.endpoint -}}
- ports: [{protocol: TCP, port: {{ .Values.network.traces.port }}}]
  {{- with .Values.network.traces.peers }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}
