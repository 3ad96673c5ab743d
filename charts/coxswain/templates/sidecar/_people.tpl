{{- /* How people sign in, for the API's container, and in which workspaces they may be. */ -}}
{{- define "coxswain.peopleEnv" -}}
{{- $workspaces := list }}
{{- range .Values.workspaces }}{{ $workspaces = append $workspaces .name }}{{ end }}
- {name: COXSWAIN_ONBOARDED_WORKSPACES, value: {{ $workspaces | toJson | quote }}}
{{- with .Values.people }}
- {name: COXSWAIN_PEOPLE, value: {{ .mode }}}
{{- if include "coxswain.localToken" $ }}
- {name: COXSWAIN_LOCAL_TOKEN_FILE, value: /run/coxswain/local/token}
{{- end }}
{{- if and .keepLocalToken (ne .mode "local") }}
- {name: COXSWAIN_LOCAL_TOKEN_KEPT, value: "true"}
{{- end }}
{{- if eq .mode "oidc" }}
- {name: COXSWAIN_OIDC_ISSUER, value: {{ .oidc.issuer | quote }}}
- {name: COXSWAIN_OIDC_AUDIENCE, value: {{ .oidc.audience | quote }}}
- {name: COXSWAIN_OIDC_NAME_CLAIM, value: {{ .oidc.nameClaim | quote }}}
- {name: COXSWAIN_OIDC_GROUPS_CLAIM, value: {{ .oidc.groupsClaim | quote }}}
- {name: COXSWAIN_PEOPLE_GROUPS, value: {{ .groups | toJson | quote }}}
{{- if .oidc.caConfigMap }}
- {name: COXSWAIN_OIDC_CA_FILE, value: /run/coxswain/issuer/ca.crt}
{{- end }}
{{- end }}
{{- if and (eq .mode "kubernetes") .kubernetes.audience }}
- {name: COXSWAIN_KUBERNETES_AUDIENCE, value: {{ .kubernetes.audience | quote }}}
{{- end }}
{{- end }}
{{- end }}

{{- define "coxswain.peopleMounts" -}}
{{- if include "coxswain.localToken" . }}
- {name: local-token, mountPath: /run/coxswain/local, readOnly: true}
{{- end }}
{{- if include "coxswain.issuerCertificates" . }}
- {name: issuer, mountPath: /run/coxswain/issuer, readOnly: true}
{{- end }}
{{- end }}

{{- define "coxswain.peopleVolumes" -}}
{{- if include "coxswain.localToken" . }}
- name: local-token
  secret:
    secretName: {{ include "coxswain.localTokenSecret" . }}
    items: [{key: token, path: token}]
{{- end }}
{{- if include "coxswain.issuerCertificates" . }}
- name: issuer
  configMap:
    name: {{ .Values.people.oidc.caConfigMap }}
    items: [{key: ca.crt, path: ca.crt}]
{{- end }}
{{- end }}

{{- /* Not empty where the local token opens the API. */ -}}
{{- define "coxswain.localToken" -}}
{{- if or (eq .Values.people.mode "local") .Values.people.keepLocalToken }}yes{{ end }}
{{- end }}

{{- define "coxswain.issuerCertificates" -}}
{{- if and (eq .Values.people.mode "oidc") .Values.people.oidc.caConfigMap }}yes{{ end }}
{{- end }}
