{{- define "settlewatch.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "settlewatch.selector" -}}
app.kubernetes.io/name: settlewatch
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "settlewatch.labels" -}}
{{ include "settlewatch.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "settlewatch.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "settlewatch.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "settlewatch.mounts" -}}
- {name: config, mountPath: /etc/settlewatch, readOnly: true}
{{- if .Values.secretName }}
- {name: secrets, mountPath: /run/secrets/settlewatch, readOnly: true}
{{- end }}
{{- end -}}

{{- define "settlewatch.volumes" -}}
- name: config
  configMap: {name: {{ include "settlewatch.name" . }}}
{{- with .Values.secretName }}
- name: secrets
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- end -}}
