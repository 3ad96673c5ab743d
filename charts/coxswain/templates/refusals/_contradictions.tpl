{{- /* Values that are good alone and not together: a line for each, which begins with their names. */ -}}
{{- define "coxswain.contradictions" -}}
{{- with .Values }}
{{- if and .monitoring.serviceMonitor.enabled .monitoring.podMonitor.enabled }}
  monitoring.serviceMonitor.enabled, monitoring.podMonitor.enabled: everything would be read twice; enable one
{{- end }}
{{- if and .postgres.enabled .database.existingSecret }}
  postgres.enabled, database.existingSecret: a database of your own needs no bundled one; set postgres.enabled to false
{{- end }}
{{- if and .postgres.enabled .database.caConfigMap }}
  postgres.enabled, database.caConfigMap: certificates are for a database of your own; tls.internal is for the bundled one
{{- end }}
{{- if not (or .postgres.enabled .database.existingSecret) }}
  postgres.enabled, database.existingSecret: there is no database; name the Secret of your own, or enable the bundled one
{{- end }}
{{- if and (ne .people.mode "oidc") (or .people.groups .people.oidc.issuer .people.oidc.audience .people.oidc.caConfigMap) }}
  people.mode, people.oidc, people.groups: these are for people.mode oidc alone; set it, or take them out
{{- end }}
{{- if and (ne .people.mode "kubernetes") .people.kubernetes.audience }}
  people.mode, people.kubernetes.audience: an audience of Kubernetes is for people.mode kubernetes alone
{{- end }}
{{- if and .sidecar.localTokenSecret (ne .people.mode "local") (not .people.keepLocalToken) }}
  people.mode, people.keepLocalToken, sidecar.localTokenSecret: a Secret is named for a token that opens nothing
{{- end }}
{{- if and .callbacks.signing.secretName (not .callbacks.signing.enabled) }}
  callbacks.signing.enabled, callbacks.signing.secretName: a Secret is named and nothing is signed with it
{{- end }}
{{- if and .callbacks.origins (not .callbacks.allowedDomains) }}
  callbacks.origins, callbacks.allowedDomains: an origin is listed and no domain is allowed; allow its host too
{{- end }}
{{- if and .channels.polls.origins (not .channels.polls.allowedDomains) }}
  channels.polls.origins, channels.polls.allowedDomains: an origin is listed and no domain is allowed; allow its host too
{{- end }}
{{- if and (eq .tls.mode "secret") (not .tls.secretName) }}
  tls.mode, tls.secretName: name the Secret with the certificate
{{- end }}
{{- if and (ne .tls.mode "secret") .tls.secretName }}
  tls.mode, tls.secretName: a Secret of your own is for tls.mode secret alone
{{- end }}
{{- if and (eq .tls.mode "certManager") (not .tls.issuerRef.name) }}
  tls.mode, tls.issuerRef.name: name the issuer that cert-manager shall ask
{{- end }}
{{- if and (ne .tls.mode "certManager") .tls.issuerRef.name }}
  tls.mode, tls.issuerRef.name: an issuer is for tls.mode certManager alone
{{- end }}
{{- if and .tls.dnsNames (not (has .tls.mode (list "own" "certManager"))) }}
  tls.mode, tls.dnsNames: names are for a certificate that is made here, tls.mode own or certManager
{{- end }}
{{- if and (ne .tls.mode "none") (eq (int .tls.port) 8080) }}
  tls.port: 8080 is the agents' door of the same Service; take another, such as 443
{{- end }}
{{- if and (ne .tls.mode "none") .tls.redirect (eq (int .tls.port) 80) }}
  tls.port, tls.redirect: port 80 leads to https://, so it cannot be its port; take another, or lead nobody
{{- end }}
{{- if and (eq .tls.internal "certManager") (not .tls.internalIssuerRef.name) }}
  tls.internal, tls.internalIssuerRef.name: name the issuer that cert-manager shall ask
{{- end }}
{{- if and (ne .tls.internal "certManager") .tls.internalIssuerRef.name }}
  tls.internal, tls.internalIssuerRef.name: an issuer is for tls.internal certManager alone
{{- end }}
{{- if and (not .artifacts.bucket) (or .artifacts.endpoint .artifacts.existingSecret) }}
  artifacts.bucket, artifacts.endpoint, artifacts.existingSecret: a store is described and no bucket is named
{{- end }}
{{- end }}
{{- end }}

{{- /* What is there for a first try, and refused where mode is prod. */ -}}
{{- define "coxswain.notForProduction" -}}
{{- with .Values }}
{{- if eq .mode "prod" }}
{{- if .postgres.enabled }}
  mode, postgres.enabled: prod keeps its records on a server that has backups; name yours in database.existingSecret
{{- end }}
{{- if eq .people.mode "local" }}
  mode, people.mode: prod knows who is calling, and local does not; say oidc or kubernetes
{{- end }}
{{- if .people.keepLocalToken }}
  mode, people.keepLocalToken: prod takes no token that may do everything in nobody's name
{{- end }}
{{- if .models.demoProvider }}
  mode, models.demoProvider: prod has no provider that makes its answers up; set it to false
{{- end }}
{{- range $name := list "operator" "agent" }}
{{- if hasPrefix "localhost/" (index $.Values.image $name) }}
  mode, image.{{ $name }}: an image of localhost is on one machine only; push it, and name it by its digest
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Settings of ours in extraEnv that are none, or that have a value of their own, which would then not count. */ -}}
{{- define "coxswain.wrongEnv" -}}
{{- range $part, $settings := .Files.Get "files/settings.json" | fromJson }}
{{- range (index $.Values $part).extraEnv }}
{{- $name := toString .name }}
{{- if has $name $settings.given }}
  {{ $part }}.extraEnv: {{ $name }} is given by the chart's values; docs/values.md lists them
{{- else if and (hasPrefix "COXSWAIN_" $name) (not (has $name $settings.more)) }}
  {{ $part }}.extraEnv: {{ $name }} is no setting of this process; docs/settings.md lists them
{{- end }}
{{- end }}
{{- end }}
{{- end }}
